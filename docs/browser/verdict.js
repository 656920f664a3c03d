// The verdict as elements of the page.

import { labelAt, signed } from "./words.js";

// Replace what an element holds by a verdict, of words as `inWords` gives them, and remarks below it.
export function showVerdict(element, words, ...sentences) {
  const remarks = sentences.map((sentence) => made("p", "in-browser-note", sentence));
  if (words.label === null) {
    element.replaceChildren(made("p", "in-browser-label", "No answer"), made("p", "", words.reason), ...remarks);
    return;
  }
  const heading = made("p", `in-browser-label ${words.label}`, "Heard as ");
  heading.append(made("strong", "", words.label));
  const doubts = words.doubts.map((doubt) => made("p", "in-browser-doubt", doubt));
  element.replaceChildren(heading, ...doubts, numbers(words), ...remarks);
}

// Replace the rows of a table by the card's operating points, and what each makes of a score.
export function showPoints(rows, points, score) {
  rows.replaceChildren(
    ...points.map((point) => row([point.name, signed(point.threshold), labelAt(point.threshold, score)])),
  );
}

// Replace the rows of a table by steps {start, stop, score}.
export function showSteps(rows, steps) {
  rows.replaceChildren(
    ...steps.map(({ start, stop, score }) => row([start.toFixed(2), stop.toFixed(2), signed(score)])),
  );
}

function numbers(words) {
  const list = made("dl", "simple in-browser-numbers");
  const add = (name, value, note) => {
    const group = made("div", "");
    group.append(made("dt", "", name), made("dd", "", value), made("dd", "in-browser-note", note));
    list.append(group);
  };
  add("Score", words.score, "log-odds of synthetic");
  add("Probability", words.probability, `of ${words.label}, at even odds`);
  add("Posterior", words.posterior, "of synthetic, if 1 in 100 is");
  return list;
}

function row(cells) {
  const found = document.createElement("tr");
  for (const cell of cells) found.insertCell().textContent = cell;
  return found;
}

function made(tag, className, content = "") {
  const found = document.createElement(tag);
  found.className = className;
  found.textContent = content;
  return found;
}
