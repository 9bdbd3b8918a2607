/** The texts of the page in the language of its link: whole sentences, with names in braces for what stands in them. */

import he from "../words/he.json";
import hy from "../words/hy.json";
import ru from "../words/ru.json";

const ALL: Record<string, Record<string, string>> = { he, hy, ru };
const RIGHT_TO_LEFT = new Set(["he", "ar", "fa"]);

/** The languages of the page, each by its own name. English needs no word in a link. */
export const LANGUAGES: readonly (readonly [string, string])[] = [
  ["", "English"],
  ["ru", "Русский"],
  ["he", "עברית"],
  ["hy", "Հայերեն"],
];

let chosen: Record<string, string> = {};
let isolated = false;

/** Take a language for all texts that follow; for one that is not there they stay English. */
export function use(language: string): void {
  chosen = ALL[language] ?? {};
  isolated = RIGHT_TO_LEFT.has(language);
}

export const direction = (language: string): "ltr" | "rtl" => (RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr");

/** Sizes, fractions and sums: numbers with signs between them. */
const FORMULA = /[(/−]*\d+(?:[.,]\d+)*\)*(?:\s?[×·+−=/]\s?\(*\d+(?:[.,]\d+)*\)*)*/g;

/** A text to be shown: in one from right to left 27×27×96 would be read 96×27×27, so it keeps its own direction. */
export function ordered(text: string): string {
  if (!isolated) return text;
  return text.replaceAll(FORMULA, (run) => (/[×·+−=/]/.test(run) ? `\u2066${run}\u2069` : run));
}

/** Whether a text runs from right to left whatever it begins with: `LRN, גודל 5`. */
export const turned = (text: string) => isolated && /[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(text);

/** A text in the chosen language, with its values. */
export function say(text: string, values: Record<string, string | number> = {}): string {
  return (chosen[text] ?? text).replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    // A name or a number keeps its own direction.
    return isolated ? `\u2068${value}\u2069` : String(value);
  });
}
