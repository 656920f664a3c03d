// The detector's graph in ONNX Runtime, in a thread of its own, so that the page stays responsive.

import * as ort from "./onnxruntime/ort.wasm.bundle.min.js";
import { mixed } from "./channels.js";
import { outlineOf } from "./outline.js";

// More threads need headers (COOP, COEP) that a static host does not send.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("onnxruntime/ort-wasm-simd-threaded.wasm", import.meta.url).href };

const GRAPH = new URL("detector.onnx", import.meta.url).href;
const EXAMPLE = new URL("voice.wav", import.meta.url).href;
const HEADER = 44; // bytes of that file before its samples
let session = null;

const TASKS = {
  async load() {
    // What ONNX Runtime can change in this graph takes a second, and makes no answer faster.
    const options = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled", logSeverityLevel: 3 };
    session = await ort.InferenceSession.create(GRAPH, options);
  },

  // The first runs take several times as long as later ones: code is compiled, and memory allocated.
  async warmUp() {
    const response = await fetch(EXAMPLE);
    const samples = new Int16Array(await response.arrayBuffer(), HEADER);
    await run(Float32Array.from(samples, (value) => value / 32768));
  },

  // Channels at 16 kHz to an answer, and to the outline of what was heard if the picture needs one.
  async answer({ channels, channel, withOutline }) {
    const samples = mixed(channels, channel);
    const broken = samples.reduce((count, value) => count + !Number.isFinite(value), 0);
    if (broken) throw new Error(`found ${broken} samples that are NaN or infinite; repair or leave it out.`);
    const started = performance.now();
    const found = await run(samples);
    return {
      ...found,
      tookMs: performance.now() - started,
      silent: samples.every((value) => value === 0),
      outline: withOutline ? outlineOf(samples) : null,
    };
  },
};

async function run(samples) {
  const outputs = await session.run({ samples: new ort.Tensor("float32", samples, [samples.length]) });
  const scores = outputs.segment_scores.data;
  const spans = outputs.segment_spans.data;
  return {
    score: outputs.score.data[0], // log-odds of synthetic; NaN without speech
    speech: outputs.speech ? outputs.speech.data[0] : null, // in s
    segments: Array.from(scores, (score, i) => ({ start: spans[2 * i], stop: spans[2 * i + 1], score })),
  };
}

self.onmessage = async ({ data: { id, task, given } }) => {
  try {
    self.postMessage({ id, found: await TASKS[task](given) });
  } catch (error) {
    self.postMessage({ id, error: error.message ?? String(error) });
  }
};
