// The diagram: zoom and move, and a way to each layer by mouse and by keys.

const LARGEST = 4;
const READABLE = 0.6;
const SLACK = 4;
// Layers and folded blocks. The frame of a block that is drawn open has a data-block too, and is no stop for keys.
const LAYERS = ".node:is([data-layer], [data-block], [data-layers])";

class View {
  constructor(box, choose) {
    this.box = box;
    this.svg = box.querySelector("svg");
    const [, , width, height] = this.svg.getAttribute("viewBox").split(" ").map(Number);
    this.whole = { width, height };
    this.svg.removeAttribute("width");
    this.svg.removeAttribute("height");
    this.choose = choose;
    this.nodes = [...this.svg.querySelectorAll(LAYERS)];
    this.places = new Map();
    for (const node of this.nodes) {
      const names = node.dataset.layers ? JSON.parse(node.dataset.layers) : [node.dataset.layer];
      for (const name of names) this.places.set(name, node);
      node.setAttribute("role", "button");
      node.setAttribute("aria-label", node.querySelector("title").textContent);
      node.setAttribute("tabindex", "-1");
    }
    this.nodes[0]?.setAttribute("tabindex", "0");
    box.tabIndex = -1;
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("focusin", (event) => this.show(event.target.closest(LAYERS)));
    box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.listenToPointers();
  }

  // --- what is seen

  // All of it where that can be read, else its beginning.
  start() {
    if (!this.measure()) return;
    const fitting = Math.min(1, this.width / this.whole.width, this.height / this.whole.height);
    this.fitting = fitting;
    if (fitting >= READABLE || this.touched) return this.fit();
    const scale = Math.min(1, Math.max(READABLE, this.width / this.whole.width));
    this.see(scale, Math.min(this.whole.width / 2, this.width / scale / 2), this.height / scale / 2);
  }

  measure() {
    this.width = this.box.clientWidth;
    if (!this.width) return false;
    const enlarged = this.box.closest(".enlarged");
    const natural = (this.width / this.whole.width) * this.whole.height;
    const high = Math.max(160, Math.min(natural, this.whole.height, window.innerHeight * 0.75));
    this.box.style.height = enlarged ? "" : `${Math.round(high)}px`;
    this.height = this.box.clientHeight;
    return true;
  }

  fit() {
    this.fitting = Math.min(1, this.width / this.whole.width, this.height / this.whole.height);
    this.see(this.fitting, this.whole.width / 2, this.whole.height / 2);
  }

  // A scale, and the point of the drawing that lies in the middle.
  see(scale, x, y) {
    this.scale = Math.min(LARGEST, Math.max(this.fitting * 0.8, scale));
    const width = this.width / this.scale;
    const height = this.height / this.scale;
    const within = (value, extent, total) =>
      extent >= total ? total / 2 : Math.min(total - extent / 2 + 40, Math.max(extent / 2 - 40, value));
    this.x = within(x, width, this.whole.width);
    this.y = within(y, height, this.whole.height);
    const box = [this.x - width / 2, this.y - height / 2, width, height];
    this.svg.setAttribute("viewBox", box.map((number) => number.toFixed(2)).join(" "));
  }

  // The point under the mouse stays where it is.
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    this.touched = true;
    const [dx, dy] = [left - this.width / 2, top - this.height / 2];
    const [x, y] = [this.x + dx / this.scale, this.y + dy / this.scale];
    const scale = Math.min(LARGEST, Math.max(this.fitting * 0.8, this.scale * factor));
    this.see(scale, x - dx / scale, y - dy / scale);
  }

  move(dx, dy) {
    this.touched = true;
    this.see(this.scale, this.x - dx / this.scale, this.y - dy / this.scale);
  }

  // Moves no more than a node needs to be in sight.
  show(node) {
    if (!node || !this.width) return;
    const inner = node.getBoundingClientRect();
    const outer = this.box.getBoundingClientRect();
    const outside = (low, high, from, to) => (low < from ? from - low + 30 : high > to ? to - high - 30 : 0);
    const dx = outside(inner.left, inner.right, outer.left, outer.right);
    const dy = outside(inner.top, inner.bottom, outer.top, outer.bottom);
    if (dx || dy) this.move(dx, dy);
  }

  wholeForPaper() {
    this.svg.setAttribute("viewBox", `0 0 ${this.whole.width} ${this.whole.height}`);
  }

  again() {
    if (this.scale) this.see(this.scale, this.x, this.y);
  }

  // --- what is done

  wheel(event) {
    if (!event.ctrlKey && !this.box.contains(document.activeElement)) return;
    event.preventDefault();
    const box = this.box.getBoundingClientRect();
    const step = event.deltaY * (event.deltaMode ? 30 : 1);
    this.zoom(Math.exp(-step * 0.002), event.clientX - box.left, event.clientY - box.top);
  }

  listenToPointers() {
    const fingers = new Map();
    let moved = 0;
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      moved = 0;
      if (!event.target.closest("[tabindex]:not(.view)")) this.box.focus({ preventScroll: true });
    });
    this.box.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const far = fingers.size > 1 ? spread() : 0;
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      moved += Math.hypot(dx, dy);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (moved < SLACK) return;
      this.box.setPointerCapture(event.pointerId);
      if (fingers.size > 1) this.zoom(spread() / far);
      else this.move(dx, dy);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.box.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    this.box.addEventListener("click", (event) => {
      const node = event.target.closest(`${LAYERS}, [data-block]`);
      if (node && moved < SLACK) this.choose(node, false);
    });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest(LAYERS);
    const place = this.nodes.indexOf(node);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.shiftKey && step) {
      const across = event.key.endsWith("Left") || event.key.endsWith("Right");
      this.move(across ? -60 * step : 0, across ? 0 : -60 * step);
    } else if (step) this.focus(this.nodes[Math.min(this.nodes.length - 1, Math.max(0, place + step))]);
    else if (event.key === "Home") this.focus(this.nodes[0]);
    else if (event.key === "End") this.focus(this.nodes.at(-1));
    else if (node && (event.key === "Enter" || event.key === " ")) this.choose(node, true);
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }

  focus(node) {
    for (const other of this.nodes) if (other !== node) other.setAttribute("tabindex", "-1");
    node.setAttribute("tabindex", "0");
    node.focus({ preventScroll: true });
  }

  mark(name) {
    this.svg.querySelector(".chosen")?.classList.remove("chosen");
    const node = this.places.get(name);
    if (!node) return;
    node.classList.add("chosen");
    for (const other of this.nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
    this.show(node);
  }
}

class Diagram {
  constructor(element, choose) {
    this.element = element;
    this.views = [...element.querySelectorAll(".view")].map((box) => new View(box, choose));
    const tools = element.querySelector(".tools");
    tools.hidden = false;
    tools.addEventListener("change", (event) => this.turnTo(event.target.value));
    tools.addEventListener("click", (event) => this.act(event.target.closest("[data-do]")));
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && element.classList.contains("enlarged")) {
        event.stopPropagation();
        this.enlarge(false);
      }
    });
    this.views.forEach((view) => view.start());
    new ResizeObserver(() => this.views.forEach((view) => this.resized(view))).observe(element);
    window.addEventListener("beforeprint", () => this.views.forEach((view) => view.wholeForPaper()));
    window.addEventListener("afterprint", () => this.views.forEach((view) => view.again()));
  }

  get shown() {
    return this.views.find((view) => !view.box.hidden);
  }

  resized(view) {
    if (view.box.hidden || view.box.clientWidth === view.width) return;
    view.start();
  }

  turnTo(style) {
    for (const view of this.views) view.box.hidden = view.box.dataset.style !== style;
    if (this.shown.scale) this.shown.again();
    else this.shown.start();
    this.shown.show(this.shown.svg.querySelector(".chosen"));
  }

  act(button) {
    const action = button?.dataset.do;
    if (action === "in") this.shown.zoom(1.25);
    else if (action === "out") this.shown.zoom(0.8);
    else if (action === "fit") this.shown.fit();
    else if (action === "full") this.enlarge(!this.element.classList.contains("enlarged"));
  }

  enlarge(large) {
    this.element.classList.toggle("enlarged", large);
    document.body.classList.toggle("has-enlarged", large);
    this.element.querySelector('[data-do="full"]').setAttribute("aria-pressed", String(large));
    this.shown.measure();
    this.shown.fit();
  }

  mark(name) {
    for (const view of this.views) view.mark(name);
  }
}
