/** Sliders for the parameters of the network and the size of its input. */

import type { Parameter, Value } from "./api";
import { button, h } from "./dom";
import type { Session } from "./session";
import { say } from "./words";

/** The places of a slider: what it can stand at, in order. None where it would be a field to type in. */
export function stops(parameter: Parameter): number[] | null {
  const { type, value, choices, min, max, step } = parameter;
  if (choices?.length) {
    const numbers = choices.filter((choice): choice is number => typeof choice === "number");
    return numbers.length === choices.length ? [...numbers].sort((a, b) => a - b) : null;
  }
  if ((type !== "int" && type !== "float") || typeof value !== "number") return null;
  if (min == null || max == null || !step || max <= min) return null;
  const count = Math.floor((max - min) / step + 1e-9);
  return count > 10_000
    ? null
    : ordered(
        Array.from({ length: count + 1 }, (_, place) => min + place * step),
        value,
      );
}

/** Numbers without the dust of binary fractions, in order, with the value among them. */
function ordered(numbers: number[], value: number): number[] {
  const all = new Set(numbers.map((number) => Number(number.toPrecision(12))));
  return [...all.add(value)].sort((a, b) => a - b);
}

/** `224x224x3` with another side; "" where the sides differ or it is no square. */
export function square(input: string): { side: number; rest: string } | null {
  const found = /^(\d+)x(\d+)x(\d+)$/.exec(input.replaceAll("×", "x").replaceAll(" ", ""));
  return found && found[1] === found[2] ? { side: Number(found[1]), rest: `x${found[3]}` } : null;
}

export class Parameters {
  readonly element = h("section", { class: "parameters", "aria-label": say("Parameters of the network") });
  /** What the sliders were drawn for; while one moves they stay. */
  private drawn = "";
  /** The values that the fields show; a link and the back button bring others. */
  private own = "";
  private first: { key: string; side: number } | null = null;

  constructor(private readonly session: Session) {
    session.on("analysed", () => this.draw());
  }

  private draw(): void {
    const { analysis, state } = this.session;
    if (!analysis) return;
    const kinds = analysis.parameters.map(({ value: _, ...kind }) => kind);
    const key = JSON.stringify([state.text, kinds]);
    if (key === this.drawn && this.values() === this.own) {
      this.refresh(analysis.parameters, analysis.input);
      return;
    }
    this.drawn = key;
    this.own = this.values();
    const size = square(analysis.input);
    this.first = size ? { key, side: size.side } : null;
    const fields = analysis.parameters.map((parameter) => this.field(parameter));
    this.element.replaceChildren(
      this.size(analysis.input),
      ...fields,
      button(say("Reset"), () => this.reset(), { class: "quiet-button" }),
    );
    this.refresh(analysis.parameters, analysis.input);
  }

  /** The values of the analysis at their fields, but for the one that is in use. */
  private refresh(parameters: readonly Parameter[], input: string): void {
    for (const { name, value } of parameters) {
      const field = this.element.querySelector<HTMLElement>(`[data-parameter="${CSS.escape(name)}"]`);
      const out = field?.querySelector("output");
      if (out) out.textContent = String(value);
    }
    const out = this.element.querySelector("[data-input] output");
    if (out) out.textContent = input;
    const changed = this.session.state.input || Object.keys(this.session.state.parameters).length;
    const reset = this.element.querySelector<HTMLButtonElement>(".quiet-button");
    if (reset) reset.hidden = !changed;
  }

  private values(): string {
    const { input, parameters } = this.session.state;
    return JSON.stringify([input, parameters]);
  }

  private change(patch: { input: string } | { parameters: Record<string, Value> }): void {
    this.session.change(patch);
    this.own = this.values();
  }

  private set(name: string, value: Value): void {
    this.change({ parameters: { ...this.session.state.parameters, [name]: value } });
  }

  private reset(): void {
    this.drawn = "";
    this.session.change({ parameters: {}, input: "" });
  }

  private size(input: string): HTMLElement {
    const found = square(input);
    if (!found) {
      const text = h("input", {
        value: input,
        change: () => {
          this.change({ input: text.value.trim() });
        },
      });
      return h(
        "label",
        { class: "slider", "data-input": true },
        h("span", {}, "input"),
        text,
        h("output", { class: "unseen" }),
      );
    }
    const middle = this.first?.side ?? found.side;
    const [least, most] = [Math.max(1, Math.ceil(middle / 4)), middle * 3];
    const range = h("input", {
      type: "range",
      min: least,
      max: most,
      step: 1,
      value: found.side,
      input: () => {
        out.textContent = `${range.value}×${range.value}${found.rest.replace("x", "×")}`;
        this.change({ input: `${range.value}x${range.value}${found.rest}` });
      },
    });
    const out = h("output");
    return h("label", { class: "slider", "data-input": true }, h("span", {}, "input"), range, out);
  }

  private field(parameter: Parameter): HTMLElement {
    const { name, type, value, choices } = parameter;
    const out = h("output");
    const places = stops(parameter);
    let control: HTMLElement;
    if (type === "bool") {
      const box = h("input", {
        type: "checkbox",
        checked: value === true,
        change: () => {
          this.set(name, box.checked);
        },
      });
      control = box;
      out.className = "unseen";
    } else if (places && places.length > 1) {
      const range = h("input", {
        type: "range",
        min: 0,
        max: places.length - 1,
        step: 1,
        value: Math.max(0, places.indexOf(value as number)),
        "aria-valuetext": String(value),
        input: () => {
          const now = places[Number(range.value)] as number;
          out.textContent = String(now);
          range.setAttribute("aria-valuetext", String(now));
          this.set(name, now);
        },
      });
      control = range;
    } else if (choices?.length) {
      const list = h(
        "select",
        {
          disabled: choices.length === 1,
          change: () => {
            this.set(name, choices[Number(list.value)] as Value);
          },
        },
        ...choices.map((choice, place) => h("option", { value: place, selected: choice === value }, String(choice))),
      );
      control = list;
      out.className = "unseen";
    } else {
      const text = h("input", {
        value: typeof value === "object" ? JSON.stringify(value) : String(value),
        disabled: typeof value === "object",
        inputmode: type === "choice" ? "text" : "decimal",
        change: () => {
          const number = Number(text.value);
          this.set(name, text.value.trim() && Number.isFinite(number) ? number : text.value);
        },
      });
      control = text;
      out.className = "unseen";
    }
    return h(
      "label",
      { class: "slider", "data-parameter": name, title: parameter.description },
      h("span", {}, name),
      control,
      out,
    );
  }
}
