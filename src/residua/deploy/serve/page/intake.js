// Pictures from outside: chosen, dropped or pasted.

import { byId } from "./dom.js";

// Calls `take` with the files, and `complain` where something came that is no file.
export function listen(take, complain) {
  const input = byId("files");
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });

  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0);
  };
  document.addEventListener("dragenter", () => over(1));
  document.addEventListener("dragleave", () => over(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(-depth);
    const files = [...event.dataTransfer.files];
    if (files.length) take(files);
    else complain("What was dropped is no file. Save the picture first, then drop the file.");
  });

  document.addEventListener("paste", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "password") return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files);
    else complain("There is no picture in what was pasted. Copy a picture first.");
  });
}
