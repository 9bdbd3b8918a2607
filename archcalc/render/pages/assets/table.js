// The table: sorted by its headings, filtered by words and by kind.

const collator = new Intl.Collator("en", { numeric: true });

// Bytes as archcalc.core.words.size writes them.
function size(bytes) {
  if (!bytes) return "–";
  if (bytes < 1000) return several(SAYS.bytes, bytes);
  let value = bytes / 1024;
  const units = ["KiB", "MiB", "GiB"];
  while (value >= 999.5 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  const shown = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${shown} ${units[0]}`;
}

const count = (text) => (/^(≥ )?[\d,]+$/.test(text) ? BigInt(text.replace("≥ ", "").replaceAll(",", "")) : 0n);
// Of what is not counted, sums are lower bounds.
const isUnknown = (cell) => ["≥", SAYS.unknown].some((begin) => cell.textContent.startsWith(begin));

// What a cell is sorted by: numbers as such, sizes as 11×11 by their product, the rest as text.
function sortKey(cell, numeric) {
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const text = cell.textContent;
  if (!numeric) return text;
  const numbers = text.replaceAll(",", "").replaceAll("−", "-").match(/-?\d+(\.\d+)?/g);
  if (!numbers) return -Infinity;
  if (text.includes("×")) return numbers.reduce((product, number) => product * Number(number), 1);
  return /^[\d,]+$/.test(text) ? count(text) : Number(numbers[0]);
}

class SortableTable {
  constructor(table) {
    this.table = table;
    this.rows = [...table.tBodies[0].rows];
    this.heads = [...table.tHead.rows[0].cells];
    this.sorted = { column: -1, down: false };
    this.heads.forEach((head, column) => this.makeSortable(head, column));
    const shares = this.heads.flatMap((head, column) => (head.dataset.key?.endsWith("_share") ? [column] : []));
    for (const row of this.rows) {
      for (const column of shares) this.addBar(row.cells[column], row.cells[column].dataset.value);
      for (const cell of row.querySelectorAll("[data-share]")) this.addBar(cell, cell.dataset.share);
    }
  }

  addBar(cell, share) {
    if (!share) return;
    const bar = document.createElement("span");
    bar.className = "bar";
    bar.style.setProperty("--share", share);
    if (cell.dataset.share) cell.children[0].after(bar);
    else cell.prepend(bar);
  }

  makeSortable(head, column) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => this.sort(column));
  }

  // Numbers begin with the largest; a third click brings back the order of the network.
  sort(column) {
    const numeric = this.heads[column].classList.contains("number");
    const { column: before, down } = this.sorted;
    let next = { column, down: numeric };
    if (before === column) next = down === numeric ? { column, down: !down } : { column: -1, down: false };
    this.sorted = next;
    this.heads.forEach((head, place) => {
      if (place !== next.column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", next.down ? "descending" : "ascending");
    });
    let order = this.rows;
    if (next.column >= 0) {
      const keyed = this.rows.map((row) => [sortKey(row.cells[column], numeric), row]);
      const text = typeof keyed[0][0] === "string";
      const sign = next.down ? -1 : 1;
      keyed.sort(([a], [b]) => sign * (text ? collator.compare(a, b) : a < b ? -1 : a > b ? 1 : 0));
      order = keyed.map(([, row]) => row);
    }
    this.table.tBodies[0].append(...order);
    // The first rows of the new order are in sight.
    this.table.closest(".wide").scrollTop = 0;
  }
}

class LayerTable extends SortableTable {
  constructor(article) {
    super(article.querySelector("table.layers"));
    this.box = this.table.closest(".wide");
    this.texts = this.rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
    for (const row of this.rows) this.makeChoosable(row, row.querySelector("a"));
    this.makeFilter(article.querySelector("form.filter"));
    this.addSums();
  }

  // A row is opened by a click anywhere in it, unless the click marks text.
  makeChoosable(row, link) {
    if (!link) return;
    link.setAttribute("href", `#${row.id}`);
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a") && getSelection().isCollapsed) link.click();
    });
  }

  makeFilter(form) {
    this.search = form.querySelector("input");
    this.kind = form.querySelector("select");
    this.found = form.querySelector(".found");
    form.hidden = false;
    form.addEventListener("input", () => this.filter());
    form.addEventListener("change", () => this.filter());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => this.filter()));
  }

  find(words) {
    this.search.value = words;
    this.kind.value = "";
    this.filter();
  }

  filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = this.kind.value;
    let shown = 0;
    this.rows.forEach((row, place) => {
      const fits = (!kind || row.dataset.kind === kind) && words.every((word) => this.texts[place].includes(word));
      row.hidden = !fits;
      shown += fits;
    });
    const all = this.rows.length;
    const filtered = shown < all;
    this.found.textContent = shown
      ? SAYS.rows.replace("##", all.toLocaleString("en")).replace("#", shown.toLocaleString("en"))
      : SAYS.none;
    if (!filtered && !words.length && !kind) this.found.textContent = "";
    this.sums.hidden = !filtered || !shown;
    if (!this.sums.hidden) this.sumUp();
  }

  addSums() {
    const foot = this.table.tFoot;
    this.sums = foot.insertRow(0);
    this.sums.className = "shown";
    this.sums.hidden = true;
    this.heads.forEach((head, place) => {
      const cell = document.createElement(place ? "td" : "th");
      cell.className = head.className;
      if (!place) {
        cell.scope = "row";
        cell.textContent = SAYS.these;
      }
      this.sums.append(cell);
    });
  }

  sumUp() {
    const rows = this.rows.filter((row) => !row.hidden);
    this.heads.forEach((head, place) => {
      const kind = head.dataset.sum;
      if (!kind) return;
      const cells = rows.map((row) => row.cells[place]);
      this.sums.cells[place].textContent =
        kind === "size"
          ? size(cells.reduce((sum, cell) => sum + Number(cell.dataset.value), 0))
          : (cells.some(isUnknown) ? "≥ " : "") +
            cells.reduce((sum, cell) => sum + count(cell.textContent), 0n).toLocaleString("en");
    });
  }

  // Marks the row of a layer and brings it into sight within the table.
  mark(row) {
    this.table.querySelector("tr.chosen")?.classList.remove("chosen");
    this.table.querySelector("[aria-current]")?.removeAttribute("aria-current");
    if (!row) return;
    row.classList.add("chosen");
    row.querySelector("a")?.setAttribute("aria-current", "true");
    const head = this.table.tHead.offsetHeight;
    const foot = this.table.tFoot.offsetHeight;
    const top = row.offsetTop - head;
    const bottom = row.offsetTop + row.offsetHeight + foot - this.box.clientHeight;
    if (this.box.scrollTop > top || this.box.scrollTop < bottom) {
      this.box.scrollTop = row.offsetTop - (this.box.clientHeight - row.offsetHeight) / 2;
    }
  }
}
