/** Charts as pictures: those that came as SVG, and those that Vega draws in this page. */

import type { Chart } from "./api";
import { sanitiseSvg } from "./sanitise";
import { say } from "./words";

interface Embedded {
  view: { toSVG(): Promise<string>; finalize(): void };
}

type Embed = (element: HTMLElement, spec: object, options: object) => Promise<Embedded>;

let loaded: Promise<Embed> | undefined;

/** Vega, which the static build has in a file of its own; it is loaded with the first chart. */
function vega(): Promise<Embed> {
  loaded ??= import(new URL("vega.js", document.baseURI).href).then(
    () => (window as unknown as { vegaEmbed: Embed }).vegaEmbed,
    () => {
      loaded = undefined;
      throw new Error(say("The file that draws charts, vega.js, cannot be loaded."));
    },
  );
  return loaded;
}

async function draw(spec: object): Promise<string> {
  const embed = await vega();
  // `ast`: its expressions are read by an interpreter, since the page allows no code made of text.
  const { view } = await embed(document.createElement("div"), spec, { ast: true, renderer: "none", actions: false });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** The picture, with its name for screen readers; null where the answer has none. */
export async function chartPicture({ svg, spec }: Chart, label: string): Promise<Element | null> {
  const text = svg ?? (spec ? await draw(spec) : null);
  if (!text) return null;
  const picture = sanitiseSvg(text);
  // The picture has a name; Vega gives its groups of marks a role without one.
  for (const part of picture.querySelectorAll("[role^=graphics]")) part.removeAttribute("role");
  picture.setAttribute("role", "img");
  picture.removeAttribute("aria-labelledby");
  picture.setAttribute("aria-label", label);
  return picture;
}
