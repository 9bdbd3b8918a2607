const root = document.documentElement;
const slides = [...document.querySelectorAll(".slide")];
const place = document.getElementById("place");
const notes = document.getElementById("notes");
let now = 0;
let step = 0;

/* The steps of a slide in order; what appears with the first is there from the start. */
function stepsOf(slide) {
  const found = new Set([...slide.querySelectorAll("[data-step]")].map(part => Number(part.dataset.step)));
  return [...found].sort((a, b) => a - b).slice(1);
}

function show(slide, reached) {
  now = Math.min(Math.max(slide, 0), slides.length - 1);
  const steps = stepsOf(slides[now]);
  step = Math.min(reached, steps.length);
  for (const [index, one] of slides.entries()) {
    one.classList.toggle("now", index === now);
  }
  for (const part of slides[now].querySelectorAll("[data-step]")) {
    part.classList.toggle("later", steps.indexOf(Number(part.dataset.step)) >= step);
  }
  place.textContent = place.dataset.text.replace("#", String(now + 1));
  history.replaceState(null, "", `#${now + 1}`);
}

function forward() {
  if (step < stepsOf(slides[now]).length) {
    show(now, step + 1);
  } else if (now + 1 < slides.length) {
    show(now + 1, 0);
  }
}

function backward() {
  if (step > 0) {
    show(now, step - 1);
  } else if (now > 0) {
    show(now - 1, Infinity);
  }
}

function toggleNotes() {
  const on = root.classList.toggle("noted");
  notes.setAttribute("aria-pressed", String(on));
}

const KEYS = {
  ArrowRight: forward, ArrowDown: forward, PageDown: forward, " ": forward,
  ArrowLeft: backward, ArrowUp: backward, PageUp: backward,
  Home: () => show(0, 0), End: () => show(slides.length - 1, 0), n: toggleNotes, N: toggleNotes,
};

document.addEventListener("keydown", event => {
  const onButton = event.target instanceof HTMLButtonElement && event.key === " ";
  if (event.ctrlKey || event.metaKey || event.altKey || onButton || !(event.key in KEYS)) {
    return;
  }
  event.preventDefault();
  KEYS[event.key]();
});
document.getElementById("next").addEventListener("click", forward);
document.getElementById("back").addEventListener("click", backward);
notes.addEventListener("click", toggleNotes);
window.addEventListener("hashchange", () => show((Number(location.hash.slice(1)) || 1) - 1, 0));
document.querySelector(".controls").hidden = false;
root.classList.add("shown");
show((Number(location.hash.slice(1)) || 1) - 1, 0);
