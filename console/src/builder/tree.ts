// The pack as one tree, and what operations do to it. The server has the last word: this shows at once what it will say.

import { type Mapping, type Operation, type PackFile, type Path, type Value, isMapping } from "./model";

/** Sections whose own entries may stand in several files; of all others one file has everything. */
export function merged(files: readonly PackFile[]): Mapping {
  const tree: Mapping = {};
  for (const { data } of files) {
    for (const [section, value] of Object.entries(data ?? {})) {
      const there = tree[section];
      tree[section] = isMapping(there) && isMapping(value) ? { ...there, ...value } : structuredClone(value);
    }
  }
  return tree;
}

/** The file in which the value of a path stands, "" for none. */
export function fileOf(files: readonly PackFile[], path: Path): string {
  for (const depth of [3, 2, 1]) {
    const start = path.slice(0, depth);
    const found = files.find((one) => one.data !== null && valueAt(one.data, start) !== undefined);
    if (found && start.length === Math.min(depth, path.length)) return found.file;
  }
  return "";
}

function place(list: Value[], part: string | number): number {
  if (typeof part === "number") return part;
  return list.findIndex((item) => isMapping(item) && item["id"] === part);
}

export function valueAt(root: Value, path: Path): Value | undefined {
  let at: Value | undefined = root;
  for (const part of path) {
    if (Array.isArray(at)) at = at[place(at, part)];
    else if (isMapping(at)) at = Object.hasOwn(at, String(part)) ? at[String(part)] : undefined;
    else return undefined;
  }
  return at;
}

/** Does an operation to a tree, in place. False where it cannot be done here, and the server's tree is needed. */
export function perform(root: Mapping, operation: Operation): boolean {
  switch (operation.op) {
    case "set":
      return setAt(root, operation.path, operation.value);
    case "insert":
      return insertAt(root, operation.path, operation.value, operation.before);
    case "remove":
      return removeAt(root, operation.path);
    case "move":
      return moveIn(root, operation.path, operation.to, operation.before);
    case "heading":
      return true; // a comment: the tree has none
    case "new_file":
      return addFile(root, operation.value);
    default:
      return false;
  }
}

function addFile(root: Mapping, value: Mapping): boolean {
  for (const [section, entries] of Object.entries(value)) {
    const there = root[section];
    root[section] = isMapping(there) && isMapping(entries) ? { ...there, ...structuredClone(entries) } : structuredClone(entries);
  }
  return true;
}

function parentOf(root: Mapping, path: Path): [Value | undefined, string | number] {
  return [valueAt(root, path.slice(0, -1)), path[path.length - 1] ?? ""];
}

function setAt(root: Mapping, path: Path, value: Value): boolean {
  const [parent, last] = parentOf(root, path);
  if (Array.isArray(parent)) {
    const at = place(parent, last);
    if (at < 0 || at >= parent.length) return false;
    parent[at] = structuredClone(value);
    return true;
  }
  if (!isMapping(parent) || !Object.hasOwn(parent, String(last))) return false;
  parent[String(last)] = structuredClone(value);
  return true;
}

function insertAt(root: Mapping, path: Path, value: Value, before: string | undefined): boolean {
  const [parent, last] = parentOf(root, path);
  if (Array.isArray(parent)) {
    parent.splice(typeof last === "number" ? last : parent.length, 0, structuredClone(value));
    return true;
  }
  if (!isMapping(parent) || Object.hasOwn(parent, String(last))) return false;
  reorder(parent, String(last), structuredClone(value), before);
  return true;
}

/** Gives a mapping a key, in front of another one where one is named. */
function reorder(parent: Mapping, key: string, value: Value, before: string | null | undefined): void {
  const entries = Object.entries(parent).filter(([name]) => name !== key);
  const at = before ? entries.findIndex(([name]) => name === before) : -1;
  entries.splice(at < 0 ? entries.length : at, 0, [key, value]);
  for (const name of Object.keys(parent)) delete parent[name];
  for (const [name, one] of entries) parent[name] = one;
}

function removeAt(root: Mapping, path: Path): boolean {
  const [parent, last] = parentOf(root, path);
  if (Array.isArray(parent)) {
    const at = place(parent, last);
    if (at < 0 || at >= parent.length) return false;
    parent.splice(at, 1);
    return true;
  }
  if (!isMapping(parent) || !Object.hasOwn(parent, String(last))) return false;
  delete parent[String(last)];
  return true;
}

function moveIn(root: Mapping, path: Path, to: Path | undefined, before: string | null | undefined): boolean {
  const [parent, last] = parentOf(root, path);
  if (isMapping(parent)) {
    const value = parent[String(last)];
    if (value === undefined) return false;
    reorder(parent, String(last), value, before);
    return true;
  }
  if (!Array.isArray(parent) || to === undefined) return false;
  const [target, aim] = parentOf(root, to);
  const from = place(parent, last);
  if (!Array.isArray(target) || typeof aim !== "number" || from < 0 || from >= parent.length) return false;
  const [item] = parent.splice(from, 1);
  target.splice(aim, 0, item as Value);
  return true;
}
