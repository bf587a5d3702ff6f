// Texts with values and conditions ({{ }}, {% if %}), as pieces that can be edited: joined again they are what they were.

export interface Piece {
  /** "text" may be edited; "value" and "tag" stand as they are. */
  kind: "text" | "value" | "tag";
  /** As it stands in the file. */
  source: string;
  /** In words: the condition of a tag, the name of a value. */
  words: string;
  /** How many conditions it stands in. */
  depth: number;
}

const PART = /\{\{-?([\s\S]*?)-?\}\}|\{%-?([\s\S]*?)-?%\}/g;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let depth = 0;
  let from = 0;
  const add = (kind: Piece["kind"], source: string, words = ""): void => {
    if (source) found.push({ kind, source, words, depth });
  };
  for (const match of text.matchAll(PART)) {
    add("text", text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) {
      add("value", match[0], match[1].trim());
      continue;
    }
    const code = (match[2] ?? "").trim();
    if (/^end/.test(code)) depth = Math.max(0, depth - 1);
    const flat = /^(elif|else)\b/.test(code) ? depth - 1 : depth;
    found.push({ kind: "tag", source: match[0], words: tagWords(code), depth: Math.max(0, flat) });
    if (/^(if|for)\b/.test(code)) depth += 1;
  }
  add("text", text.slice(from));
  return found;
}

function tagWords(code: string): string {
  const [, word, rest] = /^(\w+)\s*([\s\S]*)$/.exec(code) ?? [];
  switch (word) {
    case "if":
      return `When ${rest}`;
    case "elif":
      return `Otherwise, when ${rest}`;
    case "else":
      return "Otherwise";
    case "for":
      return `For each ${rest}`;
    case "set":
      return `With ${rest}`;
    default:
      return "";
  }
}

export interface Segment {
  /** A run of text and values, or one tag. */
  kind: "run" | "tag";
  source: string;
  /** What must hold for a run to be said, "" for always. */
  when: string;
  depth: number;
}

/** A text as runs between its conditions; their sources joined are the text. */
export function segments(text: string): Segment[] {
  const found: Segment[] = [];
  let when = "";
  let depth = 0;
  let run = "";
  const flush = (): void => {
    if (run) found.push({ kind: "run", source: run, when, depth });
    run = "";
  };
  for (const piece of pieces(text)) {
    if (piece.kind !== "tag") {
      run += piece.source;
      continue;
    }
    flush();
    found.push({ kind: "tag", source: piece.source, when: piece.words, depth: piece.depth });
    when = piece.words;
    depth = piece.words ? piece.depth + 1 : piece.depth;
  }
  flush();
  return found;
}

export function hasConditions(text: string): boolean {
  return pieces(text).some((piece) => piece.kind === "tag");
}
