// The plots: a click leads to a layer, and the chosen layer is marked.

const SVG = "http://www.w3.org/2000/svg";

class Plot {
  // `names` stand along the plotting area from left to right, each on as much of it.
  constructor(figure, names, choose) {
    this.names = names;
    this.svg = figure.querySelector("svg");
    const [left, top, width, height] = figure.dataset.area.split(" ").map(Number);
    this.area = { left, width, step: width / names.length };
    this.band = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ y: top, height, "aria-hidden": true })) this.band.setAttribute(name, value);
    this.band.setAttribute("class", "here");
    this.svg.append(this.band);
    this.pointed = make("p", { class: "pointed", "aria-hidden": "true" });
    figure.append(this.pointed);
    this.svg.addEventListener("click", (event) => this.under(event, choose));
    this.svg.addEventListener("pointermove", (event) => {
      this.pointed.textContent = "";
      this.under(event, (name) => (this.pointed.textContent = name));
    });
    this.svg.addEventListener("pointerleave", () => (this.pointed.textContent = ""));
    this.mark(null);
  }

  under(event, then) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.svg.viewBox.baseVal.width - this.area.left;
    if (x >= 0 && x < this.area.width) then(this.names[Math.floor(x / this.area.step)]);
  }

  // The place of a layer, or of the block that holds it.
  mark(name) {
    const place = name === null ? -1 : this.names.findIndex((one) => one === name || name.startsWith(`${one}/`));
    this.band.setAttribute("visibility", place < 0 ? "hidden" : "visible");
    if (place < 0) return;
    const wide = Math.max(this.area.step, 3);
    this.band.setAttribute("x", this.area.left + (place + 0.5) * this.area.step - wide / 2);
    this.band.setAttribute("width", wide);
  }
}
