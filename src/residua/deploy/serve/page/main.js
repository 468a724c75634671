// The page: asks what is served, and then about every picture that is given.

import { ask, model, timing, useKey } from "./api.js";
import { card } from "./card.js";
import { announce, byId, make } from "./dom.js";
import { Drawing } from "./draw.js";
import * as found from "./found.js";
import { listen } from "./intake.js";
import * as named from "./named.js";

// Pictures asked about at a time.
const ABREAST = 4;
// Objects of a lower score are not asked for.
const LEAST = 0.05;
// Grey pictures of at most so many pixels a side can be drawn.
const DRAWABLE = 64;

let served = null;
let drawn = null;
const answers = [];
const cards = [];
const redraws = [];
const waiting = [];
let asking = 0;

function trouble(sentence) {
  byId("trouble").hidden = !sentence;
  byId("trouble").textContent = sentence;
}

async function about(blob) {
  if (served.kind === "detector") return ask("/v1/detect", { threshold: LEAST }, blob);
  const invert = byId("invert").checked;
  return ask("/v1/classify", { top: 5, maps: served.maps, invert }, blob);
}

// Ask about one picture and fill its card; returns the answer, or null if there is none.
async function fill(name, blob, shown) {
  try {
    const answer = await about(blob);
    const [result] = answer.results;
    result.name = name;
    const way = served.kind === "detector" ? found : named;
    shown.said();
    const redraw = way.show(result, shown.picture, shown.body, served.classes);
    if (redraw) redraws.push(redraw);
    shown.body.append(make("p", { class: "note timing", text: timing(answer) }));
    announce(`${name}: ${way.sentence(result)}`);
    return answer;
  } catch (error) {
    shown.said(make("p", { class: "alert", role: "alert", text: error.message }));
    return null;
  }
}

function take(files) {
  trouble("");
  for (const file of files) {
    const shown = card(file.name || "pasted picture", file, served.kind);
    byId("results").prepend(make("li", {}, shown.element));
    cards.push(shown);
    waiting.push([file, shown]);
  }
  byId("results-section").hidden = !cards.length;
  next();
}

async function next() {
  while (asking < ABREAST && waiting.length) {
    asking += 1;
    const [file, shown] = waiting.shift();
    fill(file.name || "pasted picture", file, shown).then((answer) => {
      // It may have been cleared away while it was asked about.
      if (answer && cards.includes(shown)) answers.push(answer);
      asking -= 1;
      next();
    });
  }
}

function download(answers) {
  const told = {
    model: served.name,
    results: answers.flatMap((answer) => answer.results),
  };
  const blob = new Blob([JSON.stringify(told, null, 1)], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(blob), download: "residua.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function clear() {
  for (const shown of cards.splice(0)) shown.remove();
  for (const list of [answers, redraws, waiting]) list.length = 0;
  byId("results").replaceChildren();
  byId("results-section").hidden = true;
  announce("Cleared.");
  byId("files").focus();
}

async function ofDrawing(blob) {
  const shown = card("your drawing", blob, served.kind);
  clearDrawn();
  drawn = shown;
  byId("drawn").replaceChildren(shown.element);
  const answer = await fill("your drawing", blob, shown);
  if (!answer || drawn !== shown) return;
  byId("download-drawing").hidden = false;
  byId("download-drawing").onclick = () => download([answer]);
}

function clearDrawn() {
  drawn?.remove();
  drawn = null;
  byId("download-drawing").hidden = true;
}

function open() {
  const count = served.classes.length;
  const what = served.kind === "detector" ? "Finds objects of" : "Says what is on a picture, by";
  byId("title").textContent = served.name;
  byId("about").textContent = `${what} ${count} class${count > 1 ? "es" : ""}.`;
  document.title = `${served.name}: Residua`;
  byId("locked").hidden = true;
  byId("open").hidden = false;
  const [channels, height, width] = served.shape ?? [3, 0, 0];
  const grey = served.kind === "classifier" && channels === 1;
  byId("invert-row").hidden = !grey;
  byId("threshold-row").hidden = served.kind !== "detector";
  if (grey && Math.max(height, width) <= DRAWABLE) {
    byId("drawing").hidden = false;
    const drawing = new Drawing(byId("canvas"), served.shape, served.brightness < 0.5, ofDrawing);
    byId("clear-drawing").addEventListener("click", () => {
      drawing.clear();
      clearDrawn();
    });
  }
  listen(take, trouble);
  byId("download").addEventListener("click", () => download(answers));
  byId("clear").addEventListener("click", clear);
  byId("threshold").addEventListener("input", () => {
    byId("threshold-value").textContent = found.threshold().toFixed(2);
    for (const redraw of redraws) redraw();
  });
}

async function start() {
  try {
    served = await model();
    open();
  } catch (error) {
    byId("about").textContent = error.message;
    byId("locked").hidden = error.status !== 401;
    if (error.status === 401) byId("key").focus();
  }
}

byId("locked").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value);
  start();
});
start();
