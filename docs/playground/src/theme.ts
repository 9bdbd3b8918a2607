/** Light or dark: as the system says, or as was chosen here. */

import { say } from "./words";

const KEY = "archcalc-theme";
const ORDER = ["auto", "light", "dark"] as const;
type Theme = (typeof ORDER)[number];

const system = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return ORDER.find((theme) => theme === value) ?? "auto";
  } catch {
    // A frame without storage of its own follows the system.
    return "auto";
  }
}

let chosen: Theme = stored();

function apply(): void {
  document.documentElement.dataset.theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
}

/** Set the theme, and call `changed` after each change of it. Gives what the button of the page does and says. */
export function theme(changed: () => void): { next(): void; label(): string } {
  apply();
  system.addEventListener("change", () => {
    apply();
    changed();
  });
  return {
    next() {
      chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length] as Theme;
      try {
        localStorage.setItem(KEY, chosen);
      } catch {
        // It holds for this visit.
      }
      apply();
      changed();
    },
    label: () => ({ auto: say("Theme: auto"), light: say("Theme: light"), dark: say("Theme: dark") })[chosen],
  };
}
