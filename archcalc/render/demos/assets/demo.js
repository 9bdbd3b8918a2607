const steps = JSON.parse(document.getElementById("steps").textContent);
const cells = [...document.querySelectorAll("td")];
const initial = cells.map(cell => cell.textContent);
const place = document.getElementById("place");
const count = document.getElementById("count");
const play = document.getElementById("play");
const calculation = document.getElementById("calculation");
const PAUSE = 1600;
let now = 0;
let timer = 0;
let marked = [];
let changed = [];

/* What is written up to a step stands in its cells; what the step itself reads and writes is marked. */
function show(number) {
  now = Math.min(Math.max(number, 0), steps.length);
  for (const [cell, kind] of marked) {
    cell.classList.remove(kind);
  }
  for (const index of changed) {
    cells[index].textContent = initial[index];
  }
  marked = [];
  changed = [];
  for (const step of steps.slice(0, now)) {
    for (const [index, text] of step.written) {
      cells[index].textContent = text;
      changed.push(index);
    }
  }
  const step = now ? steps[now - 1] : null;
  const lines = [];
  if (step) {
    const kinds = [["read", step.read], ["weights", step.weights], ["written", step.written.map(([index]) => index)]];
    for (const [kind, indices] of kinds) {
      for (const index of indices) {
        cells[index].classList.add(kind);
        marked.push([cells[index], kind]);
      }
    }
    lines.push(`${now}. ${step.title}`, ...step.lines);
  } else {
    lines.push(calculation.dataset.before);
  }
  calculation.replaceChildren(...lines.map(line => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  }));
  place.value = String(now);
  count.textContent = count.dataset.words.replace("##", steps.length).replace("#", now);
}

function stop() {
  clearInterval(timer);
  timer = 0;
  play.textContent = play.dataset.play;
  play.setAttribute("aria-pressed", "false");
  calculation.setAttribute("aria-live", "polite");
}

function start() {
  if (now === steps.length) {
    show(0);
  }
  play.textContent = play.dataset.pause;
  play.setAttribute("aria-pressed", "true");
  calculation.setAttribute("aria-live", "off");
  timer = setInterval(() => {
    show(now + 1);
    if (now === steps.length) {
      stop();
    }
  }, PAUSE);
}

function toggle() {
  if (timer) {
    stop();
  } else {
    start();
  }
}

function go(number) {
  stop();
  show(number);
}

const KEYS = {
  ArrowRight: () => go(now + 1), ArrowLeft: () => go(now - 1), Home: () => go(0), End: () => go(steps.length),
  p: toggle, P: toggle,
};

document.addEventListener("keydown", event => {
  const ownKeys = event.target === place || (event.target.classList && event.target.classList.contains("groups"));
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS) || (ownKeys && event.key.length > 1)) {
    return;
  }
  event.preventDefault();
  KEYS[event.key]();
});
document.getElementById("first").addEventListener("click", () => go(0));
document.getElementById("back").addEventListener("click", () => go(now - 1));
document.getElementById("next").addEventListener("click", () => go(now + 1));
document.getElementById("last").addEventListener("click", () => go(steps.length));
play.addEventListener("click", toggle);
place.addEventListener("input", () => go(Number(place.value)));
show(0);
