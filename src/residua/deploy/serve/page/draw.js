// A place to draw on, with pointer or keys; gives a picture as the network has learned from.

const STEP = 10;
const PEN = 24;
const WAIT = 300;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Pixels of the picture that is sent, for each that the network sees.
const FINENESS = 8;

export class Drawing {
  // `shape` is C, H, W; `light` whether ink is light on a dark ground; `done` is given a picture.
  constructor(canvas, shape, light, done) {
    this.canvas = canvas;
    this.shape = shape;
    this.light = light;
    this.done = done;
    this.strokes = [];
    this.pen = { x: canvas.width / 2, y: canvas.height / 2, down: false };
    this.timer = 0;
    this.byPointer();
    this.byKeys();
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.strokes = [];
    this.pen.down = false;
    this.paint();
  }

  byPointer() {
    const { canvas } = this;
    const point = (event) => {
      const place = canvas.getBoundingClientRect();
      return [
        ((event.clientX - place.left) / place.width) * canvas.width,
        ((event.clientY - place.top) / place.height) * canvas.height,
      ];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      clearTimeout(this.timer);
      this.strokes.push([point(event)]);
      this.paint();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const parts = event.getCoalescedEvents?.() ?? [];
      this.strokes.at(-1).push(...(parts.length ? parts : [event]).map(point));
      this.paint();
    });
    canvas.addEventListener("pointerup", () => this.ask());
    canvas.addEventListener("pointercancel", () => this.ask());
  }

  byKeys() {
    this.canvas.addEventListener("focus", () => this.paint());
    this.canvas.addEventListener("blur", () => this.paint());
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key in MOVES) this.move(...MOVES[event.key]);
      else if (event.key === " ") this.lift();
      else if (event.key === "Delete" || event.key === "Backspace") this.clear();
      else return;
      event.preventDefault();
    });
  }

  move(x, y) {
    const inside = (value, size) => Math.min(Math.max(value, 0), size);
    this.pen.x = inside(this.pen.x + STEP * x, this.canvas.width);
    this.pen.y = inside(this.pen.y + STEP * y, this.canvas.height);
    if (this.pen.down) {
      this.strokes.at(-1).push([this.pen.x, this.pen.y]);
      this.ask();
    }
    this.paint();
  }

  lift() {
    this.pen.down = !this.pen.down;
    if (this.pen.down) this.strokes.push([[this.pen.x, this.pen.y]]);
    this.ask();
    this.paint();
  }

  // When the pen has rested a while.
  ask() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.strokes.length) this.picture().toBlob((blob) => this.done(blob));
    }, WAIT);
  }

  paint() {
    const { canvas, pen } = this;
    const context = canvas.getContext("2d");
    this.ground(context);
    this.ink(context, 1, 0, 0);
    if (!canvas.matches(":focus-visible")) return;
    context.strokeStyle = pen.down ? "#f0690f" : "#4c94e0";
    context.lineWidth = 3;
    context.beginPath();
    context.arc(pen.x, pen.y, PEN / 2, 0, 2 * Math.PI);
    context.stroke();
  }

  ground(context) {
    context.fillStyle = this.light ? "#000" : "#fff";
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  }

  ink(context, scale, x, y) {
    context.strokeStyle = this.light ? "#fff" : "#000";
    context.lineWidth = PEN * scale;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * scale + x, stroke[0][1] * scale + y);
      for (const [px, py] of stroke) context.lineTo(px * scale + x, py * scale + y);
      context.stroke();
    }
  }

  // What was drawn, as large as fits. Digits of 8x8 pixels fill their field; those of 28x28 leave
  // four pixels at each side.
  picture() {
    const made = document.createElement("canvas");
    [made.height, made.width] = this.shape.slice(1).map((side) => side * FINENESS);
    const points = this.strokes.flat();
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [left, right] = [Math.min(...xs) - PEN / 2, Math.max(...xs) + PEN / 2];
    const [top, bottom] = [Math.min(...ys) - PEN / 2, Math.max(...ys) + PEN / 2];
    const margin = this.shape[1] >= 20 ? made.height / 7 : 0;
    const scale = Math.min(
      (made.width - 2 * margin) / (right - left),
      (made.height - 2 * margin) / (bottom - top),
      made.height / (3 * PEN),
    );
    const context = made.getContext("2d");
    this.ground(context);
    this.ink(
      context,
      scale,
      made.width / 2 - (scale * (left + right)) / 2,
      made.height / 2 - (scale * (top + bottom)) / 2,
    );
    return made;
  }
}
