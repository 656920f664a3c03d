// In the audio thread: hands on what the microphone gives, in blocks that are not too small to be sent.

const BLOCK = 2048; // frames

class Microphone extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;

  process([[samples]]) {
    if (samples === undefined) return true; // the microphone has not begun
    for (const value of samples) {
      this.#block[this.#filled++] = value;
      if (this.#filled === BLOCK) {
        this.port.postMessage(this.#block);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone", Microphone);
