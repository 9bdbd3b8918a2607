// The plain page: a text field, the picture, the table. It shows what the functions answer, always as text.
"use strict";

const byId = (id) => document.getElementById(id);
const PAUSE = 150;
let timer = 0;
let round = 0;

async function call(name, request) {
  try {
    const answer = await fetch(`api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    return await answer.json();
  } catch {
    return { ok: false, errors: [{ message: "the server does not answer; is archcalc serve running?" }] };
  }
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function mend(fix) {
  const lines = byId("text").value.split("\n");
  const line = lines[fix.line - 1];
  lines[fix.line - 1] = line.slice(0, fix.column - 1) + fix.text + line.slice(fix.end_column - 1);
  byId("text").value = lines.join("\n");
  update();
}

function showErrors(errors) {
  byId("errors").replaceChildren(
    ...errors.map((error) => {
      const place = error.line ? `${error.line}:${error.column}: ` : "";
      const item = element("li", place + error.message);
      if (error.fix) {
        const button = element("button", error.fix.title);
        button.type = "button";
        button.addEventListener("click", () => mend(error.fix));
        item.append(button);
      }
      return item;
    }),
  );
}

function showTable(answer) {
  const right = Object.fromEntries(answer.columns.map((column) => [column.key, column.align === "right" ? "right" : ""]));
  const head = document.createElement("tr");
  head.append(
    ...answer.columns.map((column) => {
      const cell = element("th", column.heading, right[column.key]);
      cell.scope = "col";
      return cell;
    }),
  );
  const rows = answer.rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...answer.columns.map((column) => element("td", row.cells[column.key], right[column.key])));
    return line;
  });
  byId("table").replaceChildren(head, ...rows);
  byId("totals").textContent = [answer.title, ...answer.totals.map((total) => `${total.label} ${total.value}`)].join(" · ");
  byId("notes").replaceChildren(...answer.notes.map((note) => element("li", note)));
}

function showPicture(svg, title) {
  const data = new Blob([svg], { type: "image/svg+xml" });
  const picture = byId("picture");
  for (const old of [picture.src, byId("svg").href]) if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  picture.src = URL.createObjectURL(data);
  picture.alt = `Diagram of ${title}`;
  picture.hidden = false;
  byId("svg").href = URL.createObjectURL(data);
  byId("svg").hidden = false;
}

async function update() {
  const mine = ++round;
  const source = { text: byId("text").value };
  if (byId("input").value.trim()) source.input = byId("input").value;
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const look = byId("style").value ? { style: byId("style").value, theme } : { theme };
  const [table, picture] = await Promise.all([call("analyse", { source }), call("draw", { source, ...look })]);
  if (mine !== round) return;
  showErrors((table.ok ? picture.errors : table.errors) || []);
  if (table.ok) showTable(table);
  if (table.ok && picture.ok) showPicture(picture.svg, table.title);
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(update, PAUSE);
}

for (const name of ["graph", "blocks", "volumes", "towers", "bars", "maps", "slabs", "tall"]) {
  byId("style").append(new Option(name, name));
}
for (const id of ["text", "input", "style"]) byId(id).addEventListener("input", later);
update();
