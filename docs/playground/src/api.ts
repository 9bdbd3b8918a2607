/** What the functions of archcalc take and give; the same over HTTP and from the worker. */

/** A chart as SVG; where Python cannot draw it, the specification from which Vega does. */
export interface Chart {
  svg?: string | null;
  spec?: object;
}

export interface Edit {
  title: string;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  text: string;
}

/** Something to say about the spec. Lines and columns count from 1. */
export interface Problem {
  message: string;
  severity: "error" | "warning";
  line?: number | null;
  column?: number | null;
  end_line?: number | null;
  end_column?: number | null;
  layer?: string | null;
  fix?: Edit | null;
}

export type Value = number | boolean | string;

export interface Source {
  text: string;
  input?: string;
  parameters?: Record<string, Value>;
}

export interface Column {
  key: string;
  heading: string;
  align?: "left" | "right" | "center";
}

export interface Row {
  name: string;
  op: string;
  depth?: number;
  line?: number | null;
  column?: number | null;
  summary?: string;
  cells: Record<string, string>;
  values?: Record<string, number | null>;
}

export interface Total {
  label: string;
  value: string;
  exact?: string | number | null;
}

export interface Parameter {
  name: string;
  type: "int" | "float" | "bool" | "choice" | "text";
  /** What is no plain value can be read here, and changed in the spec alone. */
  value: Value | null | unknown[];
  description?: string;
  min?: number | null;
  max?: number | null;
  step?: number | null;
  choices?: Value[] | null;
}

export interface NetworkEntry {
  name: string;
  title: string;
  year?: number | null;
  family?: string | null;
  /** Its file in ./networks/ of the static build. */
  file?: string | null;
  params?: number | string | null;
  multiplications?: number | string | null;
}

/** Request and answer of every function. */
export interface Functions {
  catalogue: [
    { counts?: boolean },
    {
      networks: NetworkEntry[];
      examples: { title: string; text: string }[];
      conventions: string[];
      styles: string[];
      quantities: { key: string; heading: string; unit?: string | null }[];
      charts?: { kind: string; title: string }[];
      levels?: string[];
      exports?: { to: string; title: string }[];
    },
  ];
  spec: [{ name: string }, { text: string }];
  validate: [{ source: Source }, { warnings: Problem[] }];
  analyse: [
    { source: Source; convention?: string; depth?: number; columns?: string },
    {
      rows: Row[];
      columns: Column[];
      totals: Total[];
      notes: string[];
      parameters: Parameter[];
      input: string;
      name: string;
      title?: string;
    },
  ];
  draw: [{ source: Source; style?: string; depth?: number; theme: "light" | "dark" }, { svg: string }];
  explain: [
    { source: Source; layer: string; quantity?: string; convention?: string },
    { items: { quantity: string; heading: string; result: string; html: string }[]; heading?: string },
  ];
  check: [
    { source: Source; table?: string; file?: string; filename?: string; convention?: string },
    { result: { cells: CheckedCell[] }; summary?: string; text?: string },
  ];
  complete: [
    { text: string; line: number; column: number },
    {
      from: number;
      items: { label: string; kind?: string; detail?: string; info?: string; apply?: string; boost?: number }[];
    },
  ];
  hover: [{ text: string; line: number; column: number }, { text: string | null }];
  format: [{ text: string }, { text: string }];
  import_file: [{ filename: string; data: string; input?: string }, { text: string; notes?: string[] }];
  export: [
    { source: Source; to: string; style?: string; depth?: number; convention?: string; columns?: string },
    { filename: string; mime: string; data: string },
  ];
  compare: [{ source: Source; other: Source; convention?: string }, Comparison];
  chart: [{ source: Source; kind: string; theme: "light" | "dark" }, Chart];
  memory: [
    { source: Source; policy?: string; theme: "light" | "dark" },
    {
      facts?: { label: string; value: string; note?: string | null }[];
      columns?: Column[];
      rows?: Row[];
      policies?: string[];
    } & Chart,
  ];
  lint: [
    { source: Source },
    {
      findings: {
        id: string;
        layer?: string | null;
        line?: number | null;
        message: string;
        reason?: string | null;
        cost?: string | null;
        fix?: Edit | null;
      }[];
    },
  ];
  exercise: [{ source: Source; level?: string; seed?: number }, Worksheet];
  mark: [
    { source: Source; token: string; cells: { row: number; key: string; text: string }[] },
    {
      verdicts: { row: number; key: string; verdict: string; hint?: string | null; answer?: string | null }[];
      score: { right: number; of: number };
    },
  ];
}

export interface CheckedCell {
  label: string;
  layer?: string | null;
  heading: string;
  text: string;
  verdict: string;
  expected?: unknown;
  derivation?: string[];
  /** Why it is not right, or what is to be said of it. */
  reason?: string;
}

export interface Comparison {
  titles: [string, string];
  columns: Column[];
  rows: {
    left?: string | null;
    right?: string | null;
    side: "both" | "left" | "right" | "changed";
    cells: Record<string, [string | null, string | null]>;
  }[];
  totals: { label: string; left: string; right: string; ratio?: string | null }[];
}

export interface Worksheet {
  title?: string;
  token: string;
  columns: Column[];
  rows: { name: string; op?: string; cells: Record<string, string | null> }[];
}

export type Name = keyof Functions;
export type Request<N extends Name> = Functions[N][0];
export type Good<N extends Name> = { ok: true } & Functions[N][1];
export type Answer<N extends Name> =
  | Good<N>
  | { ok: false; errors: Problem[]; missing?: string; needs?: "input"; slow?: true; busy?: true };
