// The outline of a waveform: its lowest and highest sample in each of some columns.

const COLUMNS = 1000; // more than a picture has pixels

// Of all samples: `step` is a column's length in s at 16 kHz, `lows` and `highs` have a value for each.
export function outlineOf(samples) {
  const perColumn = Math.max(1, Math.ceil(samples.length / COLUMNS));
  const n = Math.ceil(samples.length / perColumn);
  const lows = new Float32Array(n);
  const highs = new Float32Array(n);
  for (let column = 0; column < n; column++) {
    const piece = samples.subarray(column * perColumn, (column + 1) * perColumn);
    [lows[column], highs[column]] = extremes(piece);
  }
  return { step: perColumn / 16000, lows, highs };
}

export function extremes(samples) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of samples) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
