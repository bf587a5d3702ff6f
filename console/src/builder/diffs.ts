// Changes in sentences, and as lines of the files.

import { element } from "../dom";
import { type KeyChange, type Path } from "./model";
import { shown } from "./fields";
import { placeWords } from "./uses";

export interface FileDiff {
  file: string;
  /** Unified. */
  diff: string;
}

export interface Sentence {
  file: string;
  path: Path;
  procedure: string;
  words: string;
}

export function sentenceList(sentences: readonly Sentence[]): HTMLElement {
  if (!sentences.length) return element("p", { class: "muted" }, "Nothing has changed.");
  return element("ul", { class: "sentences" }, ...sentences.map((one) => element("li", {}, one.words)));
}

export function changeList(changes: readonly KeyChange[]): HTMLElement {
  if (!changes.length) return element("p", { class: "muted" }, "Nothing has changed.");
  return element("ul", { class: "sentences" }, ...changes.map(changeRow));
}

const KINDS = { added: "New", removed: "Removed", changed: "Changed", moved: "Moved" } as const;

function changeRow(change: KeyChange): HTMLElement {
  const last = change.path[change.path.length - 1];
  return element(
    "li",
    {},
    element("p", {}, element("b", {}, `${KINDS[change.kind]}: ${placeWords(change.path)}`), typeof last === "string" ? `, ${last.replaceAll("_", " ")}` : "", change.by ? element("span", { class: "muted small" }, ` by ${change.by}`) : null),
    change.kind === "added" ? null : element("p", { class: "before" }, shown(change.before)),
    change.kind === "removed" ? null : element("p", { class: "after" }, shown(change.after)),
  );
}

/** Each line says by its sign and its colour what became of it. */
export function diffView(diffs: readonly FileDiff[]): HTMLElement {
  if (!diffs.length) return element("p", { class: "muted" }, "No line has changed.");
  return element("div", { class: "stack" }, ...diffs.map(fileDiff));
}

function fileDiff({ file, diff }: FileDiff): HTMLElement {
  const lines = diff.split("\n").filter((line) => !/^(---|\+\+\+) /.test(line));
  if (lines[lines.length - 1] === "") lines.pop();
  const code = element("code");
  for (const line of lines) {
    const kind = line.startsWith("@@") ? "where" : line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : "same";
    code.append(element("span", { class: kind }, line), "\n");
  }
  return element("figure", { class: "diff" }, element("figcaption", {}, file), element("pre", { tabindex: "0", "aria-label": `Changed lines of ${file}` }, code));
}
