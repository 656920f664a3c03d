// The page "In a browser": from a file or the microphone to words and a picture.

import { Detector } from "./detector.js";
import { Microphone } from "./microphone.js";
import { draw } from "./picture.js";
import { decode, SAMPLE_RATE } from "./recording.js";
import { Session } from "./session.js";
import { showPoints, showSteps, showVerdict } from "./verdict.js";
import { inWords, signed, whyUnheard, whyUnread } from "./words.js";

const REDRAWN = 0.25; // s between two pictures of the microphone
const LONG = 60; // s: a recording whose answer is not waited for when another one is chosen
const NOTICED = 2; // s: an answer that takes longer is announced
const SEGMENTS =
  "Scores of segments are from before the calibration, which is one of whole recordings: they say where, not how" +
  " sure, and decide nothing.";
const WINDOWS =
  "Each second has the score of the 4 s that end with it, and none if they hold no speech. The verdict is of their" +
  " mean, to which the last seconds contribute most.";

const part = (name) => document.getElementById(`in-browser-${name}`);
const page = document.getElementById("in-browser");
const detector = new Detector();
const card = fetch(new URL("card.json", import.meta.url)).then((response) => response.json());
let turn = 0; // counts recordings and sessions: what belongs to an earlier one is not shown any more
let opened = null; // the recording that is shown: its name and channels
let asked = 0; // s of the recording whose answer is awaited
let pace = 0.02; // s that an answer takes for a second of sound, as far as is known
let microphone = null; // while it is heard
let picture = null; // what was drawn last, to be drawn again at another width

async function load() {
  try {
    await Promise.all([detector.warmUp(), card]);
    if (turn === 0) say("Ready.");
    page.dispatchEvent(new CustomEvent("ready"));
    page.dataset.ready = "";
  } catch (error) {
    fail(`The detector cannot be loaded: ${error.message}. Reload the page, or try another browser.`);
  }
}

async function open(file) {
  performance.mark("chosen");
  const mine = await begin();
  say(`Reading ${file.name} …`);
  try {
    const channels = await decode(await file.arrayBuffer());
    if (mine !== turn) return;
    opened = { name: file.name, channels };
  } catch (error) {
    if (mine === turn) fail(whyUnread(file.name, error));
    return;
  }
  offerChannels(opened.channels.length);
  await answer("mean");
}

// Ask about one channel of the recording that is open, or the mean of all.
async function answer(channel) {
  const mine = ++turn;
  const { name, channels } = opened;
  const duration = channels[0].length / SAMPLE_RATE;
  const needed = pace * duration;
  const about = needed > NOTICED ? ` (takes about ${Math.ceil(needed)} s)` : "";
  say(`Listening to ${name}, ${duration.toFixed(1)} s${about} …`);
  asked = duration;
  try {
    const found = await detector.answer(channels, channel);
    const { operating_points: points, errs } = await card;
    if (mine !== turn) return;
    if (duration > Microphone.WINDOW) pace = found.tookMs / 1000 / duration;
    const words = inWords(found, duration);
    showVerdict(part("verdict"), words, ...(words.label ? [errs] : []));
    showPoints(part("points"), points, found.score);
    showPicture(words.label && { steps: found.segments, outline: found.outline, from: 0, to: duration }, SEGMENTS);
    say(`${name}, ${duration.toFixed(1)} s`, spoken(words));
    part("verdict").scrollIntoView({ block: "nearest" });
    performance.measure("answer", "chosen");
    page.dispatchEvent(new CustomEvent("answer", { detail: found }));
  } catch (error) {
    if (mine === turn) fail(`${name}: ${error.message}`);
  } finally {
    if (mine === turn) asked = 0;
  }
}

// Hear the microphone until it is stopped, or something else is asked for.
async function listen() {
  const mine = await begin();
  const session = new Session();
  let label = null;
  let drawn = 0;

  const onSound = (samples, rate) => {
    if (mine !== turn) return;
    session.addSound(samples, rate);
    if (session.seconds - drawn < REDRAWN) return;
    drawn = session.seconds;
    showPicture(session.picture, WINDOWS);
    part("clock").textContent = `${Math.floor(session.seconds)} s`;
  };

  const onWindow = async (samples, stop) => {
    if (mine !== turn || asked) return; // a machine that is too slow for all windows answers about some
    asked = Microphone.WINDOW;
    try {
      const found = await detector.answer([samples], 0, false);
      const { operating_points: points, errs } = await card;
      if (mine !== turn) return;
      session.addScore(found.score, stop);
      const words = inWords({ ...found, score: session.score }, Microphone.WINDOW);
      const last = Number.isNaN(found.score) ? "no speech" : signed(found.score);
      showVerdict(part("verdict"), words, `The last 4 s alone: ${last}.`, errs);
      showPoints(part("points"), points, session.score);
      if (words.label !== label) say("Listening", spoken(words));
      label = words.label;
      page.dispatchEvent(new CustomEvent("answer", { detail: { ...found, samples, stop, smoothed: session.score } }));
    } catch (error) {
      if (mine === turn) fail(`The microphone: ${error.message}`);
    } finally {
      if (mine === turn) asked = 0;
    }
  };

  const onEnd = async () => {
    if (mine !== turn) return;
    await begin();
    fail("The microphone is gone. Connect it, and press the button again.");
  };

  say("Waiting for the microphone …");
  microphone = new Microphone();
  try {
    await microphone.start({ onSound, onWindow, onEnd });
  } catch (error) {
    if (mine !== turn) return;
    await begin();
    fail(whyUnheard(error));
    return;
  }
  if (mine !== turn) return;
  part("microphone").textContent = "Stop listening";
  say("Listening", "The first answer comes after 4 s.");
  showVerdict(part("verdict"), { label: null, reason: "The first one comes after 4 s. Speak on." });
  showPicture(session.picture, WINDOWS);
}

// Leave what was shown and heard before for something new; return the number of its turn.
async function begin() {
  const mine = ++turn;
  if (asked > LONG) detector.stop();
  asked = 0;
  opened = null;
  clear();
  await silence();
  return mine;
}

async function silence() {
  const earlier = microphone;
  microphone = null;
  part("microphone").textContent = "Speak into the microphone";
  part("clock").textContent = "";
  await earlier?.stop();
}

function clear() {
  part("error").hidden = true;
  part("answer").hidden = true;
  part("channels").hidden = true;
  picture = null;
}

// Say how it is: what is seen, and after it what only screen readers need, since it is seen elsewhere.
function say(seen, heard = "") {
  part("status").textContent = seen;
  part("spoken").textContent = heard;
}

function fail(sentence) {
  say("");
  part("answer").hidden = true;
  part("error").textContent = sentence;
  part("error").hidden = false;
}

function spoken(words) {
  return words.label === null ? `No answer: ${words.reason}` : `Heard as ${words.label}, score ${words.score}.`;
}

// Draw what is given, or only the verdict if that is null, and write its numbers below.
function showPicture(given, caption) {
  part("answer").hidden = false;
  part("pictured").hidden = !given;
  picture = null;
  if (!given) return;
  const scored = given.steps.filter(({ score }) => !Number.isNaN(score));
  const synthetic = scored.filter(({ score }) => score >= 0).length;
  picture = { ...given, described: `Scores over time: ${scored.length}, of which ${synthetic} speak for synthetic.` };
  draw(part("picture"), picture);
  part("caption").textContent = caption;
  showSteps(part("rows"), scored);
}

function offerChannels(count) {
  const names = count === 2 ? ["left", "right"] : Array.from({ length: count }, (_, i) => String(i));
  const choices = [new Option("mean of all", "mean"), ...names.map((name, i) => new Option(name, i))];
  part("channel").replaceChildren(...choices);
  part("channels").hidden = count === 1;
}

part("file").addEventListener("change", ({ target }) => {
  if (target.files.length) open(target.files[0]);
  target.value = ""; // the same file can be chosen again
});
part("example").addEventListener("click", async () => {
  const response = await fetch(new URL("voice.wav", import.meta.url));
  await open(new File([await response.blob()], "simulated voices"));
});
part("channel").addEventListener("change", ({ target: { value } }) => {
  part("error").hidden = true;
  answer(value === "mean" ? value : Number(value));
});
part("microphone").addEventListener("click", async () => {
  if (microphone === null) {
    await listen();
    return;
  }
  turn++;
  await silence();
  say("Stopped.");
});
// On the whole window: a recording that misses the field would replace the page.
for (const name of ["dragover", "drop", "dragleave"]) {
  window.addEventListener(name, (event) => {
    event.preventDefault();
    part("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  });
}
new ResizeObserver(() => picture && draw(part("picture"), picture)).observe(part("picture"));
load();
