import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";

const window = new JSDOM("<!doctype html><body></body>").window;
Object.assign(globalThis, { document: window.document, DOMParser: window.DOMParser });

const { sanitiseHtml, sanitiseSvg } = await import("../src/sanitise");

const html = (text: string) => {
  const box = window.document.createElement("div");
  box.append(sanitiseHtml(text) as unknown as Node as never);
  return box;
};
const svg = (inside: string, attributes = "") =>
  sanitiseSvg(
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"${attributes}>${inside}</svg>`,
  );

test("a picture comes through as it is", () => {
  const picture = svg(
    '<title>AlexNet</title><g class="node" data-layer="conv1" data-layers=\'["conv1","relu1"]\'><rect x="1" width="4" fill="#fff"/><text x="2">conv1</text></g>',
  );
  assert.equal(picture.getAttribute("viewBox"), "0 0 9 9");
  assert.equal(picture.querySelector("g")?.getAttribute("data-layers"), '["conv1","relu1"]');
  assert.equal(picture.querySelector("text")?.textContent, "conv1");
  assert.equal(picture.querySelector("rect")?.getAttribute("fill"), "#fff");
});

for (const hostile of [
  "<script>alert(1)</script>",
  '<rect onload="alert(1)" onclick="alert(1)"/>',
  '<a href="javascript:alert(1)"><text>x</text></a>',
  "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='x' onerror='alert(1)'/></body></foreignObject>",
  '<use href="https://example.org/x.svg#a"/>',
  '<use xlink:href="data:image/svg+xml,x#a"/>',
  '<image href="https://example.org/x.png"/>',
  '<image href="data:image/svg+xml;base64,PHN2Zz4="/>',
  "<style>@import url(https://example.org/x.css);</style>",
  '<rect style="background:url(https://example.org)"/>',
  '<rect fill="url(https://example.org/#a)"/>',
  '<rect fill="url(#a) url(https://example.org)"/>',
  '<animate attributeName="href" to="javascript:alert(1)"/>',
  '<set attributeName="onclick" to="alert(1)"/>',
  '<iframe xmlns="http://www.w3.org/1999/xhtml" src="https://example.org"/>',
]) {
  test(`nothing of ${hostile.slice(0, 60)} is left`, () => {
    const text = svg(hostile).outerHTML;
    assert.doesNotMatch(text, /script|alert|example\.org|foreignObject|onload|<a |data:|@import|animate|<set|iframe/);
  });
}

test("ids of a picture are its own, and what points at them follows", () => {
  const inside = '<defs><clipPath id="main"><rect/></clipPath></defs><g clip-path="url(#main)"><use href="#main"/></g>';
  const [first, second] = [svg(inside), svg(inside)];
  const id = first.querySelector("clipPath")?.getAttribute("id");
  assert.match(id ?? "", /^p\d+-main$/);
  assert.equal(first.querySelector("g")?.getAttribute("clip-path"), `url(#${id})`);
  assert.equal(first.querySelector("use")?.getAttribute("href"), `#${id}`);
  assert.notEqual(second.querySelector("clipPath")?.getAttribute("id"), id);
});

test("a picture in the picture is kept where it is data", () => {
  const data = "data:image/png;base64,iVBORw0KGgo=";
  assert.equal(svg(`<image href="${data}" width="4"/>`).querySelector("image")?.getAttribute("href"), data);
});

test("what is no picture is refused", () => {
  for (const text of ["", "no picture", "<svg", "<html xmlns='http://www.w3.org/1999/xhtml'/>", "<svg></svg>"]) {
    assert.throws(() => sanitiseSvg(text), /no SVG/, text);
  }
});

test("formulas come through, and pages do not", () => {
  const formula = "<math><mrow><msub><mi>H</mi><mn>2</mn></msub><mo>=</mo><mn>55</mn></mrow></math>";
  assert.equal(html(formula).innerHTML, formula);
  const box = html(
    `<p>a &lt;b&gt;</p><img src=x onerror=alert(1)><svg><script>alert(1)</script></svg><form><button formaction="javascript:alert(1)">x</button></form><math><maction actiontype="statusline"><mi>x</mi></maction></math><p style="position:fixed;inset:0;color:red" onclick="alert(1)" id="main">y</p>`,
  );
  assert.equal(box.querySelector("p")?.textContent, "a <b>");
  assert.doesNotMatch(box.innerHTML, /alert|script|img|form|maction|position|onclick|id="main"/);
  assert.match(box.innerHTML, /style="color:red"/);
});

test("a thousand pieces of markup put together at random hold no script", () => {
  const pieces =
    `<svg> </svg> <math> </math> <mtext> <mglyph> <style> </style> <title> </title> <table> <img/src=x/onerror=alert(1)> <a/href=javascript:alert(1)> <p> </p> <!-- --> <![CDATA[ ]]> <template> </template> <noscript> " ' < > & <desc> <foreignObject> <annotation-xml/encoding=text/html> <iframe/srcdoc=x>`.split(
      " ",
    );
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let run = 0; run < 1000; run++) {
    const text = Array.from({ length: 2 + random(10) }, () => pieces[random(pieces.length)]?.replaceAll("/on", " on"));
    const box = html(text.join(""));
    // Parsed again, as innerHTML would be: no element or attribute that runs something.
    const again = window.document.createElement("div");
    again.innerHTML = box.innerHTML;
    for (const one of [box, again]) {
      for (const element of one.querySelectorAll("*")) {
        assert.doesNotMatch(element.localName, /^(script|img|iframe|a|style|template|foreignobject)$/i, text.join(""));
        for (const name of element.getAttributeNames()) assert.doesNotMatch(name, /^on|^href$|^src/i);
      }
    }
  }
});
