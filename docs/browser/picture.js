// The score over time, below the waveform's outline, as SVG. Colours are the style sheet's.

const LEFT = 52; // px, of the scores' numbers
const RIGHT = 10;
const WAVE = 56;
const SCORES = 190;
const TICKS_BELOW = 44;
const TITLE = 24;

// Draw steps {start, stop, score} between two seconds into an element, whose width the picture takes.
// `outline` is that of the waveform from its `start` on, or from 0: {start, step, lows, highs}.
export function draw(element, { steps, outline, from, to, described }) {
  const width = Math.max(240, element.clientWidth);
  const height = WAVE + TITLE + SCORES + TICKS_BELOW;
  const x = (time) => LEFT + ((time - from) / (to - from)) * (width - LEFT - RIGHT);
  const most = Math.max(2, ...steps.map(({ score }) => Math.abs(score)).filter(Number.isFinite));
  const top = WAVE + TITLE;
  const y = (score) => top + SCORES / 2 - (score / (1.08 * most)) * (SCORES / 2);
  const svg = node("svg", { width, height, role: "img", "aria-label": described });
  svg.append(hatching());
  if (outline) svg.append(wave(outline, x, peakOf(outline)));
  svg.append(
    text("waveform", LEFT, 11, { class: "muted" }),
    text("score: log-odds of synthetic", LEFT, WAVE + TITLE - 8, { class: "muted" }),
    side("synthetic", y(most / 2)),
    side("human", y(-most / 2)),
  );
  for (const score of ticks(-most, most, 5)) {
    svg.append(
      line(LEFT, y(score), width - RIGHT, y(score), score === 0 ? "" : "grid"),
      text(score > 0 ? `+${score}` : String(score).replace("-", "−"), LEFT - 6, y(score) + 4, { "text-anchor": "end" }),
    );
  }
  steps.forEach(({ start, stop, score }, i) => {
    if (!Number.isFinite(score)) return;
    // Steps that overlap end where the next one starts.
    const end = Math.min(stop, steps[i + 1]?.start ?? stop);
    const [left, right] = [Math.max(from, start), Math.min(to, end)];
    if (right <= left) return;
    const box = { x: x(left), width: x(right) - x(left), y: Math.min(y(0), y(score)), height: Math.abs(y(score) - y(0)) };
    svg.append(node("rect", { ...box, class: score >= 0 ? "synthetic" : "human" }));
  });
  svg.append(line(LEFT, y(0), width - RIGHT, y(0)));
  const bottom = top + SCORES;
  svg.append(line(LEFT, bottom, width - RIGHT, bottom));
  for (const time of ticks(from, to, Math.floor((width - LEFT) / 70))) {
    svg.append(
      line(x(time), bottom, x(time), bottom + 5),
      text(String(time), x(time), bottom + 19, { "text-anchor": "middle" }),
    );
  }
  svg.append(text("time in s", (LEFT + width - RIGHT) / 2, height - 6, { "text-anchor": "middle", class: "muted" }));
  element.replaceChildren(svg);
}

// Round numbers between two, about so many.
export function ticks(from, to, about) {
  const rough = (to - from) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++) found.push(Number((i * step).toPrecision(6)));
  return found;
}

function wave({ start = 0, step, lows, highs }, x, peak) {
  const y = (value) => WAVE / 2 + 8 - (value / peak) * (WAVE / 2 - 8);
  const at = (i) => x(start + (i + 0.5) * step).toFixed(1);
  const above = Array.from(highs, (value, i) => `${at(i)},${y(value).toFixed(1)}`);
  const below = Array.from(lows, (value, i) => `${at(i)},${y(value).toFixed(1)}`).reverse();
  return node("polygon", { points: [...above, ...below].join(" "), class: "wave" });
}

function peakOf({ lows, highs }) {
  let peak = 1e-9;
  for (const value of lows) peak = Math.max(peak, -value);
  for (const value of highs) peak = Math.max(peak, value);
  return peak;
}

// Lines across what is synthetic, so that it is known without colours, too.
function hatching() {
  const pattern = node("pattern", {
    id: "in-browser-hatching",
    width: 6,
    height: 6,
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  });
  pattern.append(node("rect", { width: 6, height: 6, class: "ground" }), line(0, 0, 0, 6, "hatch"));
  const definitions = node("defs");
  definitions.append(pattern);
  return definitions;
}

function side(label, y) {
  return text(label, 0, 0, { transform: `translate(13 ${y}) rotate(-90)`, "text-anchor": "middle", class: label });
}

function line(x1, y1, x2, y2, className = "") {
  return node("line", { x1, y1, x2, y2, class: className });
}

function text(content, x, y, attributes = {}) {
  const found = node("text", { x, y, ...attributes });
  found.textContent = content;
  return found;
}

function node(name, attributes = {}) {
  const found = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  return found;
}
