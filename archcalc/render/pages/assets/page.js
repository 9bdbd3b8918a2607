// The page: one choice of a layer for table, diagram, panel and address.

class Network {
  constructor(article) {
    this.article = article;
    this.data = JSON.parse(article.querySelector("script.derivations").textContent);
    this.places = new Map(this.data.layers.map(([name], place) => [name, place]));
    this.readers = this.data.layers.map(() => []);
    this.data.layers.forEach(([, , inputs], place) => inputs.forEach((input) => this.readers[input].push(place)));
    this.table = new LayerTable(article);
    const diagram = article.querySelector(".diagram");
    const layers = this.data.layers.map(([name]) => name);
    this.plots = [...article.querySelectorAll("figure[data-area]")].map(
      (figure) => new Plot(figure, figure.dataset.along === "bars" ? this.data.bars : layers, (name) => this.choose(name)),
    );
    this.diagram = diagram && new Diagram(diagram, (node, keyboard) => this.chooseNode(node, keyboard));
  }

  address(name) {
    return `#${this.data.prefix}${fragment(name)}`;
  }

  link(name) {
    return make("a", { href: this.address(name) }, name);
  }

  // The row of a layer, or of the folded block that holds it.
  row(name) {
    for (let part = name; part; part = part.slice(0, Math.max(0, part.lastIndexOf("/")))) {
      const row = document.getElementById(this.data.prefix + fragment(part));
      if (row) return row;
    }
    return null;
  }

  chooseNode(node, keyboard) {
    const { layer, block, layers } = node.dataset;
    if (layer) this.choose(layer, { keyboard });
    else this.chooseBlock(block ?? "", { keyboard, title: node.querySelector("title").textContent, layers });
  }

  choose(name, { keyboard = false, push = true } = {}) {
    const place = this.places.get(name);
    if (place === undefined) return this.chooseBlock(name, { keyboard, push });
    if (push) remember(this.address(name));
    panel.show(...layerPanel(this, place), keyboard);
    this.mark(name);
    return true;
  }

  chooseBlock(name, { keyboard = false, push = true, title = "", layers = undefined }) {
    const names = layers ? JSON.parse(layers) : this.data.layers.map(([layer]) => layer).filter((layer) => layer.startsWith(`${name}/`));
    if (!names.length) return false;
    if (push && name) remember(this.address(name));
    panel.show(...blockPanel(this, name, title, names), keyboard);
    this.mark(names[0]);
    return true;
  }

  mark(name) {
    tabs?.show(tabs.of(this.article));
    for (const other of networks) if (other !== this) other.unmark();
    this.table.mark(this.row(name));
    this.diagram?.mark(name);
    for (const plot of this.plots) plot.mark(name);
  }

  unmark() {
    this.table.mark(null);
    this.diagram?.mark(null);
    for (const plot of this.plots) plot.mark(null);
  }
}

// As archcalc.render.pages.markup.fragment.
function fragment(name) {
  const kept = /[A-Za-z0-9/:@,=+\-._~()]/;
  return [...name].map((letter) => (kept.test(letter) ? letter : percent(letter))).join("");
}

function percent(letter) {
  return [...new TextEncoder().encode(letter)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

function remember(address) {
  if (location.hash !== address) history.pushState(null, "", address);
}

function chooseNothing(push) {
  panel.hide();
  networks.forEach((network) => network.unmark());
  if (push && networks.some((network) => location.hash.startsWith(`#${network.data.prefix}`))) {
    history.pushState(null, "", location.pathname + location.search);
  }
}

// Of several networks one is shown: tabs.
class Tabs {
  constructor(nav) {
    this.tabs = [...nav.querySelectorAll("a")];
    nav.querySelector("ul").setAttribute("role", "tablist");
    for (const tab of this.tabs) {
      const article = this.article(tab);
      tab.parentElement.setAttribute("role", "presentation");
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", article.id);
      article.setAttribute("role", "tabpanel");
      tab.addEventListener("keydown", (event) => this.key(event));
    }
    this.show(this.tabs[0]);
  }

  article(tab) {
    return document.getElementById(tab.getAttribute("href").slice(1));
  }

  of(article) {
    return this.tabs.find((tab) => this.article(tab) === article);
  }

  show(chosen) {
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      this.article(tab).hidden = tab !== chosen;
    }
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const place = this.tabs.indexOf(event.target);
    let next = this.tabs.at((place + (step ?? 0)) % this.tabs.length);
    if (event.key === "Home") next = this.tabs[0];
    else if (event.key === "End") next = this.tabs.at(-1);
    else if (!step) return;
    event.preventDefault();
    this.show(next);
    next.focus();
  }
}

// The network and layer that an address means.
function layerOf(address) {
  for (const network of networks) {
    const start = `#${network.data.prefix}`;
    if (address.startsWith(start)) return [network, decoded(address.slice(start.length))];
  }
  return [null, ""];
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // an address that nobody made here; no layer has an empty name
  }
}

function follow() {
  const [network, name] = layerOf(location.hash);
  const part = networks.find((one) => location.hash.startsWith(`#${one.article.id}`) && one.article.id);
  if (part) tabs?.show(tabs.of(part.article));
  if (!network?.choose(name, { push: false })) chooseNothing(false);
}

const panel = new Panel(document.getElementById("panel"), () => chooseNothing(true));
const networks = [...document.querySelectorAll("article.network")].map((article) => new Network(article));

const list = document.querySelector("nav.networks");
const tabs = list && new Tabs(list);
document.querySelectorAll("table.sortable").forEach((table) => new SortableTable(table));

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const shown = tabs?.tabs.find((tab) => tab.getAttribute("href") === link?.getAttribute("href"));
  if (shown) tabs.show(shown);
  const [network, name] = link ? layerOf(link.getAttribute("href")) : [null, ""];
  // A click by the keyboard has no position.
  if (network?.choose(name, { keyboard: event.detail === 0 })) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel.open) chooseNothing(true);
});
window.addEventListener("popstate", follow);

const theme = document.querySelector("button.theme");
const dark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const showTheme = () => theme.setAttribute("aria-pressed", String(dark()));
theme.hidden = false;
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();
if (location.hash) follow();
