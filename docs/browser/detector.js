// The detector as the rest of the page sees it: a worker that loads and answers.

const WARM_UPS = 6;

export class Detector {
  #worker = null;
  #waiting = new Map();
  #loading = null;
  #count = 0;
  #asked = false;

  // Resolves when the graph answers as fast as it can, or something was asked before that.
  async warmUp() {
    await this.#load();
    for (let i = 0; i < WARM_UPS && !this.#asked; i++) await this.#ask("warmUp");
  }

  // An answer about channels at 16 kHz, Float32Arrays of one length; `channel` is a number or "mean".
  async answer(channels, channel = "mean", withOutline = true) {
    this.#asked = true;
    await this.#load();
    return this.#ask("answer", { channels, channel, withOutline });
  }

  // Give up what is being computed; the next question loads the graph again, from the browser's cache.
  stop() {
    this.#worker?.terminate();
    this.#worker = this.#loading = null;
    for (const { reject } of this.#waiting.values()) reject(new DOMException("stopped", "AbortError"));
    this.#waiting.clear();
  }

  // The same promise for all who ask, and after a failure a new try.
  #load() {
    this.#loading ??= this.#ask("load").catch((error) => {
      this.stop();
      throw error;
    });
    return this.#loading;
  }

  #ask(task, given) {
    this.#worker ??= this.#start();
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task, given });
    });
  }

  #start() {
    // By way of a blob the page's policy, to load nothing from other hosts, is the worker's, too.
    const script = `import ${JSON.stringify(new URL("worker.js", import.meta.url).href)};`;
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(address, { type: "module" });
    worker.onmessage = ({ data: { id, found, error } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(found);
      else reject(new Error(error));
    };
    // A worker whose own files cannot be loaded answers nothing.
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(event.message || "its files cannot be loaded"));
      }
      this.#waiting.clear();
    };
    return worker;
  }
}
