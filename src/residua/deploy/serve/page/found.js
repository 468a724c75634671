// What a detector says of a picture: boxes on it, from a score on that can be chosen.

import { byId, make } from "./dom.js";

// Colours that stay apart for the colour-blind; a class keeps its colour.
const COLORS = ["#ffb000", "#648fff", "#fe6100", "#4cc9a4", "#dc267f", "#b79cff", "#f0e442", "#56b4e9"];

// Above a box there is no room for its name so near to the upper edge, as a share of the height.
const NEAR = 0.1;

const told = (each) => `${each.class} ${each.score.toFixed(2)}`;
const above = (result) => result.objects.filter((each) => each.score >= threshold());

export const threshold = () => Number(byId("threshold").value);

export function sentence(result) {
  const objects = above(result);
  if (!objects.length) return "no objects with such a score";
  return `${objects.length} object${objects.length > 1 ? "s" : ""}: ${objects.map(told).join(", ")}`;
}

// Fill a card, and return what draws it again when the threshold has moved.
export function show(result, picture, body, classes) {
  const list = make("ol", { class: "objects" });
  const none = make("p", { class: "note", text: "No objects with such a score." });
  body.append(none, list);
  const draw = () => {
    for (const old of picture.querySelectorAll(".box")) old.remove();
    list.replaceChildren();
    const objects = above(result);
    none.hidden = objects.length > 0;
    const frames = [];
    for (const each of objects) {
      const frame = box(each, result.size, COLORS[classes.indexOf(each.class) % COLORS.length]);
      const button = make("button", { type: "button", ariaPressed: "false", text: told(each) });
      button.addEventListener("click", () => {
        button.ariaPressed = String(frame.classList.toggle("chosen"));
      });
      frames.unshift(frame);
      list.append(make("li", {}, button));
    }
    // The surest lies on top.
    picture.append(...frames);
  };
  draw();
  return draw;
}

function box(each, [width, height], color) {
  const [left, top, right, bottom] = each.box;
  const frame = make("div", { class: "box", "aria-hidden": "true" }, make("span", { text: told(each) }));
  frame.style.left = `${(100 * left) / width}%`;
  frame.style.top = `${(100 * top) / height}%`;
  frame.style.width = `${(100 * (right - left)) / width}%`;
  frame.style.height = `${(100 * (bottom - top)) / height}%`;
  frame.style.setProperty("--kind", color);
  frame.classList.toggle("under", top < NEAR * height);
  return frame;
}
