/** SVG and HTML of the functions as nodes of the page: only what is on a list comes through.
 *
 * Names and texts of a spec are written by anybody. They are escaped where they are written; this is the second fence.
 */

import { ordered } from "./words";

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";
const HTML = "http://www.w3.org/1999/xhtml";

const words = (text: string) => new Set(text.split(/\s+/));

const ELEMENTS: Record<string, Set<string>> = {
  [SVG]: words(
    `svg g defs title desc path rect circle ellipse line polyline polygon text tspan textPath image use symbol clipPath
     mask pattern marker linearGradient radialGradient stop`,
  ),
  [MATHML]: words(
    `math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd mstyle
     mpadded mphantom semantics`,
  ),
  [HTML]: words(
    `p div span dl dt dd ul ol li b strong em i code pre sub sup br table thead tbody tfoot tr th td caption h3 h4 h5
     small abbr var`,
  ),
};

const ATTRIBUTES = words(
  `class id role lang dir title aria-label aria-labelledby aria-hidden aria-describedby
   data-layer data-layers data-block data-family data-key
   x y x1 y1 x2 y2 dx dy cx cy r rx ry fx fy d points width height viewBox preserveAspectRatio transform offset
   fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap
   stroke-linejoin stroke-miterlimit opacity color font-family font-size font-weight font-style text-anchor
   dominant-baseline alignment-baseline baseline-shift letter-spacing textLength lengthAdjust clip-path clip-rule mask
   clipPathUnits maskUnits maskContentUnits patternUnits patternContentUnits patternTransform gradientUnits
   gradientTransform spreadMethod stop-color stop-opacity marker-start marker-mid marker-end markerWidth markerHeight
   markerUnits refX refY orient display visibility vector-effect paint-order shape-rendering text-rendering
   xml:space pointer-events startOffset href xlink:href style
   mathvariant stretchy fence separator form lspace rspace minsize maxsize largeop movablelimits accent displaystyle
   scriptlevel columnalign rowspacing columnspacing colspan rowspan scope linethickness`,
);

/** Nodes beyond this number are left out: a picture may not stop the tab. */
const MOST = 200_000;

let used = 0;

/** An SVG picture as a node of the page. Throws an Error where the text is no SVG. */
export function sanitiseSvg(text: string): SVGSVGElement {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const copy = root.namespaceURI === SVG && root.localName === "svg" ? cleaned(root) : null;
  if (copy === null) throw new Error("The picture is no SVG.");
  return copy as SVGSVGElement;
}

/** HTML with MathML as nodes of the page. */
export function sanitiseHtml(text: string): DocumentFragment {
  const body = new DOMParser().parseFromString(`<!doctype html><body>${text}`, "text/html").body;
  const copy = cleaned(body.ownerDocument.createElement("div"));
  const whole = document.createDocumentFragment();
  if (copy) fill(body, whole, prefix(), { left: MOST });
  return whole;
}

const prefix = () => `p${++used}-`;

function cleaned(element: Element): Element | null {
  return copied(element, prefix(), { left: MOST });
}

function copied(element: Element, before: string, budget: { left: number }): Element | null {
  const space = element.namespaceURI ?? "";
  if (!ELEMENTS[space]?.has(element.localName) || budget.left-- <= 0) return null;
  const copy = document.createElementNS(space, element.localName);
  for (const { name, value } of element.attributes) {
    const safe = ATTRIBUTES.has(name) ? attribute(name, value, element.localName, before) : null;
    if (safe !== null) copy.setAttribute(name === "xlink:href" ? "href" : name, safe);
  }
  fill(element, copy, before, budget);
  return copy;
}

function fill(from: Element, to: Node, before: string, budget: { left: number }): void {
  for (const child of from.childNodes) {
    if (child.nodeType === 3 || child.nodeType === 4)
      to.appendChild(document.createTextNode(ordered(child.nodeValue ?? "")));
    else if (child.nodeType === 1) {
      const copy = copied(child as Element, before, budget);
      if (copy) to.appendChild(copy);
    }
  }
}

function attribute(name: string, value: string, element: string, before: string): string | null {
  // Ids of a picture get a beginning of their own: they can neither hide nor meet those of the page.
  if (name === "id") return before + value;
  if (name === "aria-labelledby" || name === "aria-describedby") {
    return value
      .split(/\s+/)
      .map((id) => before + id)
      .join(" ");
  }
  if (name === "href" || name === "xlink:href") {
    if (/^#[\w.:-]+$/.test(value)) return `#${before}${value.slice(1)}`;
    return element === "image" && /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/.test(value)
      ? value
      : null;
  }
  if (name === "style") return style(value);
  if (/url\s*\(/i.test(value)) {
    const inside = /^url\(["']?#([\w.:-]+)["']?\)$/.exec(value.trim());
    return inside ? `url(#${before}${inside[1]})` : null;
  }
  return value;
}

/** Declarations without addresses, escapes or positions that could cover the page. */
function style(value: string): string | null {
  const kept = value
    .split(";")
    .map((part) => part.trim())
    .filter((part) =>
      /^(font|fill|stroke|text-|color|opacity|white-space|letter-spacing|display|pointer-events)/.test(part),
    )
    .filter((part) => !/url|\\|@|expression|\/\*/i.test(part));
  return kept.length ? kept.join("; ") : null;
}
