// Ask a detector about recordings, in Node: ONNX Runtime alone.
//
//   voicelstm export detector.onnx
//   npm install
//   node score.js detector.onnx call.wav
//
// Recordings are WAV files of 16 bits. FFmpeg makes one of anything: ffmpeg -i call.mp3 -ac 1 -ar 16000 call.wav

import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";

const SAMPLE_RATE = 16000; // Hz, that the graph's metadata say as well

/** Read the samples of a WAV file: its channels' mean, within ±1. */
function readWav(path) {
  const bytes = readFileSync(path);
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WAVE") {
    throw new Error(`${path}: not a WAV file`);
  }
  let channels = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString("latin1", at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (name === "fmt ") {
      const [rate, bits] = [bytes.readUInt32LE(start + 4), bytes.readUInt16LE(start + 14)];
      channels = bytes.readUInt16LE(start + 2);
      if (rate !== SAMPLE_RATE || bits !== 16) {
        throw new Error(`${path}: ${bits} bits at ${rate} Hz; expected 16 bits at ${SAMPLE_RATE} Hz`);
      }
    } else if (name === "data") {
      const frames = Math.floor(Math.min(size, bytes.length - start) / (2 * channels));
      const samples = new Float32Array(frames);
      for (let frame = 0; frame < frames; frame++) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) {
          sum += bytes.readInt16LE(start + 2 * (frame * channels + channel));
        }
        samples[frame] = sum / channels / 32768;
      }
      return samples;
    }
    at = start + size + (size % 2);
  }
  throw new Error(`${path}: no samples`);
}

const [graph, ...recordings] = process.argv.slice(2);
if (!recordings.length) {
  console.error("usage: node score.js detector.onnx recording.wav ...");
  process.exit(2);
}
const session = await InferenceSession.create(graph, { intraOpNumThreads: 1 });
for (const recording of recordings) {
  const samples = readWav(recording);
  const found = await session.run({ samples: new Tensor("float32", samples, [samples.length]) });
  const score = found.score.data[0];
  const segments = Array.from(found.segment_scores.data, (value, at) => ({
    start_s: found.segment_spans.data[2 * at],
    stop_s: found.segment_spans.data[2 * at + 1],
    score: value,
  }));
  // NaN, where nobody speaks, is no number of JSON.
  console.log(JSON.stringify({ recording, score: Number.isNaN(score) ? null : score, segments }));
}
