// The panel next to the page: how each number of the chosen layer is computed.

function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Panel {
  constructor(element, close) {
    this.element = element;
    this.close = close;
    this.before = null;
  }

  get open() {
    return !this.element.hidden;
  }

  show(title, what, parts, keyboard) {
    const close = make("button", { type: "button", class: "close", "aria-label": SAYS.close }, "×");
    close.addEventListener("click", () => this.close());
    const head = make("header", {}, make("h2", {}, title), close);
    this.element.replaceChildren(head, make("p", { class: "what" }, what), ...parts.filter(Boolean));
    if (!this.open) this.before = document.activeElement;
    this.element.hidden = false;
    this.element.scrollTop = 0;
    document.body.classList.add("has-panel");
    if (keyboard) this.element.focus({ preventScroll: true });
  }

  hide() {
    if (!this.open) return;
    const inside = this.element.contains(document.activeElement);
    this.element.hidden = true;
    document.body.classList.remove("has-panel");
    if (inside) this.before?.focus({ preventScroll: true });
  }
}

// A line: what it is of, the steps with `=` between them, the unit, and a note.
function derivationLine([label, parts, unit, note]) {
  const steps = parts.map((part, place) =>
    make("span", { class: "step" }, ...(place ? [make("span", { class: "equals" }, "=")] : []), formula(part)),
  );
  const after = note === SAYS.note ? [SAYS.likewise.replace("#", unit)] : unit ? [unit] : [];
  const body = make("dd", {}, ...steps, ...after.map((text) => make("span", { class: "unit" }, text)));
  if (note && note !== SAYS.note) body.append(make("small", {}, note));
  return [make("dt", {}, label), body];
}

function layerPanel(network, place) {
  const [name, what, inputs, lines] = network.data.layers[place];
  const derived = make("dl", { class: "derivation" }, ...lines.flatMap((line) => derivationLine(network.data.lines[line])));
  const readers = network.readers[place];
  return [
    name,
    network.data.texts[what],
    [
      derived,
      neighbours(network, SAYS.reads, inputs),
      neighbours(network, SAYS.readers, readers),
      steps(network, place),
    ],
  ];
}

function neighbours(network, word, places) {
  if (!places.length) return null;
  const links = places.slice(0, 24).map((place) => make("li", {}, network.link(network.data.layers[place][0])));
  if (places.length > 24) links.push(make("li", {}, SAYS.more.replace("#", places.length - 24)));
  return make("div", { class: "neighbours" }, make("h3", {}, word), make("ul", {}, ...links));
}

// To the layer before and after, and to where the layer stands on the page.
function steps(network, place) {
  const layers = network.data.layers;
  const to = (text, other) => {
    const button = make("button", { type: "button" }, text);
    if (other < 0 || other >= layers.length) button.disabled = true;
    else button.addEventListener("click", () => network.choose(layers[other][0], { keyboard: true }));
    return button;
  };
  return make("p", { class: "steps" }, to(SAYS.before, place - 1), to(SAYS.next, place + 1));
}

function blockPanel(network, name, title, layers) {
  const list = layers.map((layer) => make("li", {}, network.link(layer)));
  const find = make("button", { type: "button" }, SAYS.find);
  find.addEventListener("click", () => {
    network.table.find(name ? `${name}/` : "");
    network.table.box.scrollIntoView({ block: "start" });
  });
  const words = several(SAYS.layers, layers.length);
  return [
    name || words,
    title,
    [make("div", { class: "neighbours" }, make("h3", {}, words), make("ul", {}, ...list)), name ? find : null],
  ];
}
