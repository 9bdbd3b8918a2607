/** The editor of a spec: CodeMirror with the language's own completion, hover help, problems and mends. */

import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { type ChangeDesc, EditorState, type Extension, StateEffect, StateField, type Text } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  type Tooltip,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Edit, Problem } from "./api";
import { h } from "./dom";
import { indentation } from "./indent";
import type { Transport } from "./transport";
import { say } from "./words";

export interface EditorEvents {
  /** The text was changed by the user. */
  changed(text: string): void;
  /** The cursor is in another line; from 1. */
  moved(line: number): void;
  format(): void;
}

const setMarked = StateEffect.define<readonly number[]>();
const markedLine = Decoration.line({ class: "cm-marked" });

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(lines, transaction) {
    let now = lines.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setMarked)) {
        const places = effect.value.filter((line) => line >= 1 && line <= transaction.state.doc.lines);
        const starts = [...new Set(places)].map((line) => transaction.state.doc.line(line).from).sort((a, b) => a - b);
        now = Decoration.set(starts.map((from) => markedLine.range(from)));
      }
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--quiet)" },
  { tag: [tags.labelName, tags.typeName], color: "var(--accent)" },
]);

/** Where a line and a column from 1, counted in characters as Python does, are in a text; what lies outside is brought inside. */
export function position(doc: Text, line: number, column = 1): number {
  const row = doc.line(Math.max(1, Math.min(line, doc.lines)));
  const before = [...row.text].slice(0, Math.max(0, column - 1));
  return row.from + before.join("").length;
}

/** Where a place of a text is in one with other spaces: after as many letters, or at the start of the same word. */
export function samePlace(before: string, now: string, at: number): number {
  if (at === before.length) return now.length;
  const head = before.slice(0, at);
  const letters = head.replaceAll(/\s/g, "").length;
  let place = 0;
  for (let seen = 0; seen < letters && place < now.length; place++) if (/\S/.test(now.charAt(place))) seen++;
  // In front of a word of another line.
  return /\n\s*$/.test(head) ? place + now.slice(place).search(/\S|$/) : place;
}

/** A state of the text, and how it was changed into the next one. */
export interface Revision {
  next?: { changes: ChangeDesc; revision: Revision };
}

/** Where a part of an older text is now. */
export function moved(since: Revision, from: number, to: number): { from: number; to: number } {
  let place = { from, to };
  for (let { next } = since; next; next = next.revision.next) {
    const start = next.changes.mapPos(place.from, 1);
    place = { from: start, to: Math.max(start, next.changes.mapPos(place.to, -1)) };
  }
  return place;
}

export class Editor {
  readonly view: EditorView;
  /** Whether a change at the moment comes from the program. */
  private quiet = false;
  private revision: Revision = {};

  constructor(
    parent: HTMLElement,
    private readonly transport: Transport,
    events: EditorEvents,
  ) {
    const listen = EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        const revision = {};
        this.revision.next = { changes: update.changes.desc, revision };
        this.revision = revision;
      }
      if (update.docChanged && !this.quiet) events.changed(update.state.doc.toString());
      if ((update.selectionSet || update.docChanged) && update.view.hasFocus) {
        events.moved(update.state.doc.lineAt(update.state.selection.main.head).number);
      }
    });
    const own: Extension = keymap.of([
      { key: "Tab", run: acceptCompletion },
      {
        key: "Shift-Alt-f",
        run: () => {
          events.format();
          return true;
        },
      },
    ]);
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          own,
          lineNumbers(),
          highlightActiveLineGutter(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          history(),
          drawSelection(),
          indentation,
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          yaml(),
          syntaxHighlighting(colours),
          lintGutter(),
          marked,
          autocompletion({ override: [(context) => this.complete(context)], icons: false }),
          hoverTooltip((view, at) => this.hover(view, at)),
          keymap.of([
            ...closeBracketsKeymap,
            ...defaultKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...completionKeymap,
            ...lintKeymap,
          ]),
          EditorState.tabSize.of(2),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            "aria-label": say("Spec of the network"),
            spellcheck: "false",
            tabindex: "0",
          }),
          listen,
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Another text. It can be undone, and the listener does not hear of it. `place` says where the cursor goes. */
  setText(text: string, place: (at: number) => number = () => 0): void {
    if (text === this.text) return;
    const { anchor, head } = this.view.state.selection.main;
    this.quiet = true;
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: text },
      selection: { anchor: place(anchor), head: place(head) },
    });
    this.quiet = false;
  }

  /** The same text with other spaces: the cursor stays at its word. */
  layOut(text: string): void {
    const before = this.text;
    this.setText(text, (at) => samePlace(before, text, at));
  }

  /** What makes the change of a mend for the text as it is now, wherever its place is by then.
   *
   * The listener hears of it as of typing. Where the words to be mended were changed, nothing is done.
   */
  mend(edit: Edit): () => void {
    const { revision } = this;
    const { doc } = this.view.state;
    const from = position(doc, edit.line, edit.column);
    const to = Math.max(from, position(doc, edit.end_line, edit.end_column));
    const words = doc.sliceString(from, to);
    return () => {
      const place = moved(revision, from, to);
      if (this.view.state.doc.sliceString(place.from, place.to) !== words) return;
      this.view.dispatch({ changes: { ...place, insert: edit.text } });
    };
  }

  setProblems(problems: readonly Problem[]): void {
    const doc = this.view.state.doc;
    const found = problems.map((problem): Diagnostic => {
      const from = problem.line ? position(doc, problem.line, problem.column ?? 1) : 0;
      const line = doc.lineAt(from);
      let to = problem.end_line ? position(doc, problem.end_line, problem.end_column ?? 1) : 0;
      // What has no end is marked to the end of its word, and to that of its line where it is at no word.
      if (to <= from) to = from + (/^[\w./-]+/.exec(doc.sliceString(from, line.to))?.[0].length ?? line.to - from);
      const fix = problem.fix;
      return {
        from,
        to,
        severity: problem.severity,
        message: problem.message,
        ...(fix ? { actions: [{ name: fix.title, apply: this.mend(fix) }] } : {}),
      };
    });
    this.view.dispatch(setDiagnostics(this.view.state, found));
  }

  /** Mark lines, and show the first of them where `scroll` is asked for. */
  mark(lines: readonly number[], scroll: boolean): void {
    const effects: StateEffect<unknown>[] = [setMarked.of(lines)];
    const first = lines[0];
    if (scroll && first !== undefined) {
      effects.push(EditorView.scrollIntoView(position(this.view.state.doc, first), { y: "center" }));
    }
    this.view.dispatch({ effects });
  }

  /** Put the cursor there. */
  goTo(line: number, column = 1): void {
    this.view.dispatch({ selection: { anchor: position(this.view.state.doc, line, column) }, scrollIntoView: true });
    this.view.focus();
  }

  private async complete(context: CompletionContext): Promise<CompletionResult | null> {
    const word = context.matchBefore(/[\w@.]*/);
    if (!context.explicit && (!word || word.from === word.to)) return null;
    const line = context.state.doc.lineAt(context.pos);
    const controller = new AbortController();
    context.addEventListener("abort", () => controller.abort());
    try {
      const answer = await this.transport.call(
        "complete",
        { text: context.state.doc.toString(), line: line.number, column: context.pos - line.from + 1 },
        controller.signal,
      );
      if (!answer.ok || !answer.items.length) return null;
      const options = answer.items.map(
        (item): Completion => ({
          label: item.label,
          ...(item.boost ? { boost: item.boost } : {}),
          ...(item.detail ? { detail: item.detail } : {}),
          ...(item.info ? { info: item.info } : {}),
          ...(item.apply ? { apply: item.apply } : {}),
        }),
      );
      return { from: position(context.state.doc, line.number, answer.from), options, validFor: /^[\w.]*$/ };
    } catch {
      // Overtaken by the next key, or the server is gone, which the analysis reports.
      return null;
    }
  }

  private async hover(view: EditorView, at: number): Promise<Tooltip | null> {
    const line = view.state.doc.lineAt(at);
    try {
      const answer = await this.transport.call("hover", {
        text: view.state.doc.toString(),
        line: line.number,
        column: at - line.from + 1,
      });
      if (!answer.ok || !answer.text) return null;
      const text = answer.text;
      return { pos: at, above: true, create: () => ({ dom: h("div", { class: "hover" }, text) }) };
    } catch {
      return null;
    }
  }
}
