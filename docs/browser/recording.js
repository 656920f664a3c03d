// Files, and what a microphone gave, to samples at the rate of the detector.

export const SAMPLE_RATE = 16000; // Hz

// Channels of a file's bytes at 16 kHz, decoded and resampled by the browser.
export async function decode(bytes) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const buffer = await context.decodeAudioData(bytes);
  return Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));
}

// Samples at another rate to 16 kHz. As a WAV they are resampled as a file is, by a filter; played by a node of
// Web Audio they would be interpolated, or be refused at this rate.
export async function resample(samples, rate) {
  if (rate === SAMPLE_RATE) return samples;
  const [found] = await decode(wavOf(samples, rate));
  return found;
}

// A WAV file of one channel of 32-bit floats.
function wavOf(samples, rate) {
  const bytes = new ArrayBuffer(44 + 4 * samples.length);
  const view = new DataView(bytes);
  const text = (at, value) => [...value].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 4 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 3, true); // floats
  view.setUint16(22, 1, true); // channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 4 * rate, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 32, true);
  text(36, "data");
  view.setUint32(40, 4 * samples.length, true);
  new Float32Array(bytes, 44).set(samples); // as every machine with a browser has them, low byte first
  return bytes;
}
