// What the microphone gave so far: the waveform's outline, a score for each second, and their mean.

import { extremes } from "./outline.js";

const SHOWN = 60; // s that the picture holds
const FIRST_SHOWN = 10; // s that it holds in the beginning
const SMOOTHING = 4; // s: as in `detector_stream`, a score from so long ago has a weight of 1/e

export class Session {
  seconds = 0; // that came
  steps = []; // {start, stop, score} of the last seconds
  #outline = { start: 0, step: 0, lows: [], highs: [] };
  #smoothed = { sum: 0, weight: 0, stop: 0 };

  // Mean of the scores, to which recent ones contribute most; NaN before the first one.
  get score() {
    return this.#smoothed.sum / this.#smoothed.weight;
  }

  // A block of sound; all have the same length.
  addSound(samples, rate) {
    const outline = this.#outline;
    const [low, high] = extremes(samples);
    outline.lows.push(low);
    outline.highs.push(high);
    outline.step = samples.length / rate;
    if (outline.lows.length * outline.step > SHOWN) {
      outline.lows.shift();
      outline.highs.shift();
      outline.start += outline.step;
    }
    this.seconds += outline.step;
  }

  // The score of a window that ended at a second; NaN, of one without speech, does not change the mean.
  addScore(score, stop) {
    this.steps.push({ start: stop - 1, stop, score });
    if (this.steps.length > SHOWN) this.steps.shift();
    if (Number.isNaN(score)) return;
    const earlier = this.#smoothed;
    const kept = Math.exp((earlier.stop - stop) / SMOOTHING);
    this.#smoothed = { sum: earlier.sum * kept + score, weight: earlier.weight * kept + 1, stop };
  }

  // What a picture of it draws.
  get picture() {
    const from = Math.max(0, this.seconds - SHOWN);
    return { steps: this.steps, outline: this.#outline, from, to: Math.max(FIRST_SHOWN, this.seconds) };
  }
}
