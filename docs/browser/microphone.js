// The microphone: its last seconds, in a ring buffer, at a steady pace.

import { resample } from "./recording.js";

const WINDOW = 4; // s
const HOP = 1; // s

// The last samples of an endless signal.
export class RingBuffer {
  #values;
  total = 0; // samples that came

  constructor(size) {
    this.#values = new Float32Array(size);
  }

  push(samples) {
    for (const value of samples) this.#values[this.total++ % this.#values.length] = value;
  }

  // The samples that it holds, the oldest first.
  last() {
    const { length } = this.#values;
    if (this.total <= length) return this.#values.slice(0, this.total);
    const split = this.total % length;
    const found = new Float32Array(length);
    found.set(this.#values.subarray(split));
    found.set(this.#values.subarray(0, split), length - split);
    return found;
  }
}

// Calls `onSound(samples, rate)` for each block, `onWindow(samples, stop)` every second with the last 4 s at
// 16 kHz and the second at which they end, and `onEnd()` if the microphone goes away.
export class Microphone {
  static WINDOW = WINDOW;
  #context = null;
  #stream = null;
  #stopped = false;

  async start({ onSound, onWindow, onEnd }) {
    // As it is: what browsers do to voices for calls is not what the detector learnt from.
    const untouched = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...untouched } });
    if (this.#stopped) {
      await this.stop(); // it was, while the browser asked for permission
      return;
    }
    this.#stream.getAudioTracks()[0].onended = onEnd;
    const context = (this.#context = new AudioContext());
    const rate = context.sampleRate;
    await context.audioWorklet.addModule(new URL("microphone_processor.js", import.meta.url));
    const node = new AudioWorkletNode(context, "microphone", { channelCount: 1, channelCountMode: "explicit" });
    const ring = new RingBuffer(WINDOW * rate);
    let next = WINDOW * rate;
    node.port.onmessage = async ({ data: samples }) => {
      // To the sample: what is behind the window's end comes after it.
      const before = Math.max(0, Math.min(samples.length, next - ring.total));
      ring.push(samples.subarray(0, before));
      onSound(samples, rate);
      let window = null;
      const stop = next / rate;
      if (ring.total === next) {
        window = ring.last();
        next += HOP * rate;
      }
      ring.push(samples.subarray(before));
      if (window !== null) onWindow(await resample(window, rate), stop);
    };
    // It gives silence to the speakers: browsers run only what leads there.
    context.createMediaStreamSource(this.#stream).connect(node).connect(context.destination);
    await context.resume();
  }

  async stop() {
    this.#stopped = true;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    await this.#context?.close();
    this.#context = this.#stream = null;
  }
}
