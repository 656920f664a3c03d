// What an answer means, in the words and with the limits of `voicelstm detect`.

const LEAST_SPEECH = 0.15; // s, less than which gets no answer
const LITTLE_SPEECH = 1; // s, less than which makes an answer less sure
const FRAME = 0.025; // s
const WORTH_NOTHING = 0.5; // scores between this and its opposite, see docs/user_guide/pretrained.rst
const PRIOR = 0.01; // of which a posterior is shown

export const signed = (value, digits = 2) =>
  (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);

// What a threshold makes of a score.
export const labelAt = (threshold, score) => (score >= threshold ? "synthetic" : "human");

// An answer in words: the label, numbers and reasons to doubt them, or a null label and the reason for that.
export function inWords({ score, speech, silent }, duration) {
  if (Number.isNaN(score)) return { label: null, reason: nothingHeard(speech, silent, duration) };
  const label = labelAt(0, score);
  const probability = sigmoid(Math.abs(score));
  const posterior = sigmoid(score + Math.log(PRIOR / (1 - PRIOR)));
  return {
    label,
    score: signed(score),
    probability: probability.toFixed(3),
    posterior: `${(100 * posterior).toFixed(1)} %`,
    doubts: doubtsOf(score, speech),
  };
}

function doubtsOf(score, speech) {
  const doubts = [];
  if (speech !== null && speech < LITTLE_SPEECH) {
    doubts.push(`little speech: ${(Math.floor(10 * speech + 1e-6) / 10).toFixed(1)} s`);
  }
  if (Math.abs(score) < WORTH_NOTHING) {
    doubts.push("a score between −0.5 and +0.5 is worth nothing, whatever the label");
  }
  return doubts;
}

function nothingHeard(speech, silent, duration) {
  let found;
  if (silent) found = "silence, every sample being 0";
  else if (duration < FRAME) {
    found = `${digits(1000 * duration)} ms of sound, less than one frame of ${1000 * FRAME} ms`;
  } else {
    const heard = speech === null ? "too little" : `${digits(speech, 2)} s of`;
    found = `${heard} speech in ${digits(duration)} s, less than ${LEAST_SPEECH} s`;
  }
  return `no speech: found ${found}; there is no voice to judge.`;
}

// Why there is no recording to judge.
export function whyUnread(name, error) {
  if (error.name === "NotReadableError" || error.name === "NotFoundError") {
    return `${name}: cannot be read any more; choose it again.`;
  }
  if (error.name === "EncodingError") {
    return (
      `${name}: found nothing that this browser decodes as sound. Browsers read WAV, FLAC, MP3, OGG and, most of` +
      " them, M4A and WebM; the command, voicelstm detect, reads more."
    );
  }
  return `${name}: ${error.message}`;
}

// Why there is no microphone.
export function whyUnheard(error) {
  if (!navigator.mediaDevices) return "Browsers give the microphone to pages of https, or of this machine, alone.";
  if (error.name === "NotAllowedError" || error.name === "SecurityError") {
    return (
      "The microphone was refused: the browser asks once, and remembers. Allow it for this page, in the settings" +
      " beside the page's address, and press the button again."
    );
  }
  if (error.name === "NotFoundError") return "No microphone was found: connect one, and press the button again.";
  if (error.name === "NotReadableError") {
    return "The microphone gives no sound: another program may hold it. Close that, and press the button again.";
  }
  return `The microphone cannot be heard: ${error.message}`;
}

// As Python's format "g": so many digits that count.
function digits(value, n = 3) {
  return String(Number(value.toPrecision(n)));
}

function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}
