// What the drafts API speaks of: values of pack files, paths to them, operations on them, drafts.

/** Everything in a pack file is text, a list, a mapping, or nothing. */
export type Value = string | null | Value[] | Mapping;
export interface Mapping {
  [key: string]: Value;
}

/** Keys and places in lists; a text where a list stands names the item with that `id`. */
export type Path = readonly (string | number)[];

export type Operation =
  | { op: "set"; path: Path; value: Value; old?: Value }
  | { op: "insert"; path: Path; value: Value; before?: string; file?: string; keep_ways?: boolean }
  | { op: "remove"; path: Path; old?: Value; keep_ways?: boolean }
  | { op: "move"; path: Path; to?: Path; before?: string | null; old?: Value; keep_ways?: boolean }
  | { op: "rename"; kind: string; name: string; to: string; flow?: string; slot?: string }
  | { op: "duplicate"; path: Path; as?: string }
  | { op: "heading"; path: Path; value: string; old: string }
  | { op: "new_file"; file: string; value: Mapping };

/** An edit on its way to the server: one operation, or several that are one step for undo. */
export interface PendingEdit {
  id: string;
  draft: string;
  /** The tab that made it: while that tab lives no other one sends it. */
  tab: string;
  operations: Operation[];
  /** It may have reached the server: it is never changed again, and sent again as it is. */
  sent: boolean;
  /** Why the server will not take it; kept until the person drops it. */
  refused?: string;
  /** The order in which edits were made. */
  order: number;
}

export interface DraftSummary {
  id: string;
  name: string;
  state: "open" | "published" | "discarded";
  owner: string;
  made_at: string;
  changed_at: string;
  changed_by: string;
  base: string;
  seq: number;
  conflicts: number;
  can_undo: boolean;
  can_redo: boolean;
}

export interface PackFile {
  file: string;
  data: Mapping | null;
  problem: string;
  /** The comments that head sections of steps. */
  headings?: { path: Path; words: string }[];
}

export interface Conflict {
  number: number;
  at: string;
  who: string;
  operations: Operation[];
  reason: string;
  mine: Value;
  theirs: Value;
  file: string;
  path: Path;
}

export interface KeyChange {
  file: string;
  path: Path;
  kind: "added" | "removed" | "changed" | "moved";
  before: Value;
  after: Value;
  by?: string;
}

export function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((part, place) => part === other[place]);
}

export function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((part, place) => part === path[place]);
}

/** A text that stands for a path, for keys of maps and of elements. */
export function keyOf(path: Path): string {
  return JSON.stringify(path);
}

export function sameValue(one: Value | undefined, other: Value | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export function isMapping(value: Value | undefined): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The texts of a value that may be one text or a list of them. */
export function textsOf(value: Value | undefined): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

export function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

/** A machine word for people: `return_reason` is "Return reason". */
export function humanise(word: string): string {
  const words = word.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
