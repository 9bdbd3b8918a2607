/** Where the next line of a spec begins: below the dash of a finished step, deeper after a key without a value. */

import { indentService, syntaxTree } from "@codemirror/language";
import type { EditorState, Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

type SyntaxNode = ReturnType<ReturnType<typeof syntaxTree>["resolveInner"]>;

const LINE = /^(?<indent> *)(?<dashes>(?:- +)*)(?<body>.*)$/;
/** A step of which more keys follow. */
const OPEN = /^(?:repeat|for_each)\s*:/;
/** A key of a step whose value is a list. */
const LISTS = /^branches\s*:/;

interface Line {
  /** The column of the last dash; null where there is none. */
  dash: number | null;
  /** The column of what follows the dashes. */
  key: number;
  body: string;
}

function read(text: string): Line {
  const { indent = "", dashes = "", body = "" } = LINE.exec(text)?.groups ?? {};
  const key = indent.length + dashes.length;
  const dash = dashes ? indent.length + dashes.lastIndexOf("-") : null;
  return { dash, key, body: body.replace(/(^|\s)#.*$/, "").trimEnd() };
}

/** The last line that says something; of a text that ends with an empty line, too. */
function last(lines: readonly string[]): Line | undefined {
  for (const text of [...lines].reverse()) {
    const line = read(text);
    if (line.body || line.dash !== null) return line;
  }
  return undefined;
}

/** The column in which a line after these begins. */
export function columnAfter(lines: readonly string[]): number {
  const before = lines.at(-1) ?? "";
  if (before && !before.trim()) return before.length;
  const line = last(lines);
  if (!line) return 0;
  if (/[:|>]$/.test(line.body)) return line.key + 2;
  return line.dash === null || OPEN.test(line.body) ? line.key : line.dash;
}

/** The column for a dash that was typed in `column` after these lines: no step stands deeper than where its list is. */
export function dashAfter(lines: readonly string[], column: number): number {
  const line = last(lines);
  if (!line) return column;
  if (line.body.endsWith(":") && (line.dash === null || LISTS.test(line.body))) return column;
  let { dash } = line;
  // A key of a step: the list is that of its step.
  for (const text of [...lines].reverse()) {
    if (dash !== null) break;
    const above = read(text);
    if (above.dash !== null && above.key <= line.key) dash = above.dash;
  }
  return dash === null ? column : Math.min(column, dash);
}

function above(state: EditorState, place: number): string[] {
  return state.sliceDoc(0, place).split("\n");
}

function isFlow(state: EditorState, place: number): boolean {
  let node: SyntaxNode | null = syntaxTree(state).resolveInner(place, -1);
  while (node && !(/^Flow(?:Mapping|Sequence)$/.test(node.name) && node.from < place && node.to > place)) {
    node = node.parent;
  }
  return node !== null;
}

export const indentation: Extension = [
  indentService.of(({ state, simulatedBreak }, place) =>
    simulatedBreak === null || isFlow(state, place) ? undefined : columnAfter(above(state, place)),
  ),
  EditorView.inputHandler.of((view, from, to, text) => {
    const { state } = view;
    const line = state.doc.lineAt(from);
    if (text !== " " || from !== to || from !== line.to || !/^ +-$/.test(line.text) || isFlow(state, from))
      return false;
    const column = dashAfter(above(state, Math.max(0, line.from - 1)), line.length - 1);
    if (column === line.length - 1) return false;
    view.dispatch({
      changes: { from: line.from, to: line.to, insert: `${" ".repeat(column)}- ` },
      selection: { anchor: line.from + column + 2 },
      userEvent: "input.type",
    });
    return true;
  }),
];
