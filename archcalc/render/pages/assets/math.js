// Formulas: MathML from the short notation of archcalc.explain.derive.notation.Compact.

// What the script says, in the language of the page.
const SAYS = JSON.parse(document.getElementById("content").dataset.says);
const plural = new Intl.PluralRules(document.documentElement.lang);
const several = (forms, number) => forms[plural.select(number)].replace(/\d+/, number.toLocaleString("en"));

const MATH = "http://www.w3.org/1998/Math/MathML";
const TOKENS = /\d{1,3}(?:,\d{3})+(?!\d)|\d+|\p{L}+(?:_[\p{L}\p{N}]+)?|\S/gu;
const CLOSING = { "(": ")", "⌊": "⌋", "⌈": "⌉" };
const WORDS = { "%": "mod", ";": "," };

function math(tag, ...children) {
  const made = document.createElementNS(MATH, tag);
  made.append(...children);
  return made;
}

function symbol(text) {
  const [base, index] = text.split("_");
  if (index === undefined) return math("mi", base);
  return math("msub", math("mi", base), math(/^\d+$/.test(index) ? "mn" : "mi", index));
}

// The elements up to a token that ends them, which is taken too.
function sequence(tokens, end) {
  const found = [];
  while (tokens.length && tokens[0] !== end) {
    const token = tokens.shift();
    if (/^\d/.test(token)) found.push(math("mn", token));
    else if (/^\p{L}/u.test(token) && tokens[0] === "(") {
      tokens.shift();
      found.push(math("mrow", math("mi", token), math("mo", "("), ...sequence(tokens, ")"), math("mo", ")")));
    } else if (/^\p{L}/u.test(token)) found.push(symbol(token));
    else if (token === "{") {
      const above = math("mrow", ...sequence(tokens, "|"));
      found.push(math("mfrac", above, math("mrow", ...sequence(tokens, "}"))));
    } else if (token in CLOSING) {
      const close = CLOSING[token];
      found.push(math("mrow", math("mo", token), ...sequence(tokens, close), math("mo", close)));
    } else found.push(math("mo", WORDS[token] ?? token));
  }
  tokens.shift();
  return found;
}

function formula(text) {
  return math("math", math("mrow", ...sequence(text.match(TOKENS) ?? [])));
}
