// What a classifier says of a picture: bars, and where in the picture each class is from.

import { make, percent } from "./dom.js";

const FOR = [240, 105, 20];
const AGAINST = [40, 120, 240];
const OPAQUE = 0.65;

export function sentence(result) {
  const [best] = result.classes;
  const hint = result.swapped ? " (light and dark seem swapped)" : "";
  return `${best.class}, ${percent(best.probability)}${hint}`;
}

// Fill a card: `picture` is the element that holds the picture, `body` what stands beside it.
export function show(result, picture, body) {
  const overlay = make("canvas", { "aria-hidden": "true" });
  if (result.seen) {
    place(overlay, result);
    picture.append(overlay);
  }
  const strongest = Math.max(
    1e-12,
    ...result.classes.flatMap((each) => (each.map ?? []).flat()).map(Math.abs),
  );
  const choose = (chosen) => {
    for (const [index, button] of buttons.entries()) {
      const on = index === chosen && button.ariaPressed !== "true";
      button.ariaPressed = String(on);
      if (index === chosen) paint(overlay, on ? result.classes[index].map : null, strongest);
    }
  };
  const bars = result.classes.map((each, index) => bar(each, () => choose(index)));
  const buttons = bars.filter((each) => each instanceof HTMLButtonElement);
  if (buttons.length) choose(0);
  body.append(make("ol", { class: "bars" }, ...bars.map((each) => make("li", {}, each))));
  if (result.swapped) {
    body.append(
      make("p", { class: "alert", text: "Light and dark seem swapped against the pictures that it learned from." }),
    );
  }
  if (buttons.length) {
    body.append(
      make("p", { class: "note", text: "Orange speaks for the chosen class, blue against it." }),
    );
  }
}

function bar(named, choose) {
  const fill = make("div", { class: "fill" });
  fill.style.width = `${100 * named.probability}%`;
  const parts = [
    make("span", { text: named.class }),
    make("span", { class: "track", "aria-hidden": "true" }, fill),
    make("span", { class: "share", text: percent(named.probability) }),
  ];
  if (!named.map) return make("div", { class: "bar" }, ...parts);
  const button = make("button", { type: "button", ariaPressed: "false" }, ...parts);
  button.title = `Show where ${named.class} is from`;
  button.addEventListener("click", choose);
  return button;
}

// Lay the map over the part of the picture that the network looked at.
function place(overlay, result) {
  const [width, height] = result.size;
  const [left, top, right, bottom] = result.seen;
  overlay.style.left = `${(100 * left) / width}%`;
  overlay.style.top = `${(100 * top) / height}%`;
  overlay.style.width = `${(100 * (right - left)) / width}%`;
  overlay.style.height = `${(100 * (bottom - top)) / height}%`;
}

function paint(overlay, map, strongest) {
  overlay.hidden = !map;
  if (!map) return;
  overlay.height = map.length;
  overlay.width = map[0].length;
  const context = overlay.getContext("2d");
  const pixels = context.createImageData(overlay.width, overlay.height);
  map.flat().forEach((value, index) => {
    const color = value > 0 ? FOR : AGAINST;
    const opacity = Math.round(255 * OPAQUE * Math.abs(value / strongest));
    pixels.data.set([...color, opacity], 4 * index);
  });
  context.putImageData(pixels, 0, 0);
}
