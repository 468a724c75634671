// A card: a picture with what is said of it.

import { make } from "./dom.js";

// Pictures that are narrower are enlarged; those of very few pixels pixel by pixel.
const NARROW = 384;
const PIXELS = 100;

// A card for a picture; `said` takes the place of what is shown while waiting.
export function card(name, blob, kind) {
  const image = make("img", { alt: `the picture ${name}` });
  const picture = make("div", { class: "picture" }, image);
  image.addEventListener("load", () => {
    const { naturalWidth: width, naturalHeight: height } = image;
    picture.classList.toggle("enlarged", width < NARROW && height < 2 * width);
    picture.classList.toggle("pixels", width < PIXELS);
  });
  image.addEventListener("error", () => picture.remove());
  image.src = URL.createObjectURL(blob);
  const body = make("div", { class: "body" }, make("p", { class: "note", text: "Asking ..." }));
  const figure = kind === "classifier" ? "card of-class" : "card";
  const element = make("article", { class: figure, ariaLabel: name }, picture, body);
  return {
    element,
    picture,
    body,
    said(...children) {
      body.replaceChildren(make("h3", { text: name }), ...children);
    },
    remove() {
      URL.revokeObjectURL(image.src);
      element.remove();
    },
  };
}
