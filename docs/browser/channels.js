// From the channels of a recording to one, as `audio/_channels.py` of the library does it.

const WINDOW = 4096; // frames that are looked at together: how channels lie to each other may change
const CANCELLED = 1 / 8; // of the channels' power, less than which is left where they cancel
const MOST_CANCELLED = 1 / 10; // of the energy of the whole recording
const SILENT = 1e-5; // of the loudest channel's energy

// One channel by its number, or the mean of those that are not silent; channels that cancel are an error.
export function mixed(channels, channel = "mean") {
  if (channel !== "mean") return channels[channel];
  if (channels.length === 1) return channels[0];
  const { energies, cancelledEnergy, cancelledFrames } = energiesOf(channels);
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  if (cancelledEnergy > MOST_CANCELLED * total) {
    const share = ((100 * cancelledFrames) / channels[0].length).toFixed(0);
    throw new Error(
      `found channels that cancel each other in ${share} % of the recording, as where a line is connected` +
        " the wrong way round: their mean is nothing that was said; choose one of the channels.",
    );
  }
  const loudest = Math.max(...energies);
  const speaking = energies.filter((energy) => energy > SILENT * loudest).length || channels.length;
  const found = new Float32Array(channels[0].length);
  for (const samples of channels) {
    for (let i = 0; i < found.length; i++) found[i] += samples[i];
  }
  for (let i = 0; i < found.length; i++) found[i] /= speaking;
  return found;
}

// Energies without constants of each channel, and of all together where they cancel each other.
function energiesOf(channels) {
  const energies = channels.map(() => 0);
  let cancelledEnergy = 0;
  let cancelledFrames = 0;
  for (let start = 0; start < channels[0].length; start += WINDOW) {
    const windows = channels.map((samples) => samples.subarray(start, start + WINDOW));
    const own = windows.map((window) => energyOf(window.length, (i) => window[i]));
    const together = own.reduce((sum, energy) => sum + energy, 0);
    const ofSum = energyOf(windows[0].length, (i) => windows.reduce((sum, window) => sum + window[i], 0));
    own.forEach((energy, position) => (energies[position] += energy));
    if (ofSum < CANCELLED * together) {
      cancelledEnergy += together;
      cancelledFrames += windows[0].length;
    }
  }
  return { energies, cancelledEnergy, cancelledFrames };
}

function energyOf(length, valueAt) {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < length; i++) {
    const value = valueAt(i);
    sum += value;
    squares += value * value;
  }
  return squares - (sum * sum) / length;
}
