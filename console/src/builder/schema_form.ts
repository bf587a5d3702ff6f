// A form for any place of the pack, made from the schema: every key that is there, and every key that may be added.

import { element, tell } from "../dom";
import { flagField, inputField, notes, selectField, textField } from "./fields";
import { listField } from "./lists";
import { type Mapping, type Path, type Value, humanise, isMapping, keyOf, textOf } from "./model";
import { type KeySchema, alternatives, below, choicesOf, firstValue, isFlag, isNumber, kindAt, plainHelp } from "./schema";
import type { Workspace } from "./workspace";

/** The keys of a mapping as fields; those of `elsewhere` have fields of their own on the page. */
export function keysForm(work: Workspace, path: Path, told: KeySchema, elsewhere: readonly string[] = []): HTMLElement {
  const value = work.session.value(path);
  const known = kindAt(told, value).properties ?? {};
  const there = Object.keys(known).filter((key) => isMapping(value) && key in value && !elsewhere.includes(key));
  const missing = Object.keys(known).filter((key) => !(isMapping(value) && key in value) && !elsewhere.includes(key));
  const needed = new Set(kindAt(told, value).required ?? []);
  const form = element("div", { class: "schema-keys", "data-keys": keyOf(path) });
  for (const key of there) form.append(entry(work, [...path, key], known[key] ?? {}, !needed.has(key)));
  if (missing.length) form.append(keyAdder(work, path, known, missing));
  return form;
}

/** The same below a summary that is opened when it is wanted. */
export function moreKeys(work: Workspace, path: Path, told: KeySchema | null, elsewhere: readonly string[]): HTMLElement | null {
  if (!told) return null;
  return opened(`keys:${keyOf(path)}`, [summary("All other keys")], () => [keysForm(work, path, told, elsewhere)]);
}

/** One field for one place, whatever it holds. */
export function schemaField(work: Workspace, path: Path, told: KeySchema, label: string): HTMLElement {
  const value = work.session.value(path);
  const kind = kindAt(told, value);
  const help = told.description ? { help: plainHelp(told.description) } : {};
  const all = alternatives(told);
  if (isMapping(value) || (value === undefined && (kind.properties || kind.type === "object"))) return mappingField(work, path, told, kind, label);
  if (Array.isArray(value) && value.some((one) => typeof one !== "string")) return itemsField(work, path, kind, label);
  if (all.some((one) => one.type === "array")) {
    const items = all.find((one) => one.type === "array")?.items ?? {};
    const field = listField(work, path, { label, one: "text", ...help });
    return alternatives(items).some((one) => one.properties) ? element("div", {}, field, itemAdder(work, path, items)) : field;
  }
  if (isFlag(kind)) return flagField(work, path, { label, ...help });
  if (kind.enum) return selectField(work, path, { label, ...help, choices: choicesOf(kind).map((one) => [one, humanise(one)] as const) });
  if (kind.format === "date") return inputField(work, path, { label, type: "date", ...help });
  if (isNumber(kind)) return inputField(work, path, { label, type: "number", ...help });
  const field = textField(work, path, { label, ...help });
  const other = all.find((one) => one.properties);
  return other ? element("div", {}, field, writeAs(work, path, value ?? "", other)) : field;
}

// --- mappings and lists -----------------------------------------------------------------------------------

function mappingField(work: Workspace, path: Path, told: KeySchema, kind: KeySchema, label: string): HTMLElement {
  const field = element("fieldset", { class: "group", "data-key": keyOf(path), tabindex: "-1" }, element("legend", {}, label));
  if (told.description) field.append(element("p", { class: "help small muted" }, plainHelp(told.description)));
  if (kind.properties) field.append(keysForm(work, path, told));
  else field.append(...named(work, path, below(kind) ?? {}), nameAdder(work, path, kind));
  notes(work, path, field, field);
  return field;
}

/** What a mapping holds by name; entries with keys of their own are opened when they are wanted. */
function named(work: Workspace, path: Path, told: KeySchema): HTMLElement[] {
  const value = work.session.value(path);
  return Object.entries(isMapping(value) ? value : {}).map(([name, one]) => {
    const own = [...path, name];
    if (typeof one === "string") return entry(work, own, told, true);
    return opened(`at:${keyOf(own)}`, [summary(humanise(name), name)], () => [entry(work, own, told, true)]);
  });
}

/** A list that holds more than texts. */
function itemsField(work: Workspace, path: Path, kind: KeySchema, label: string): HTMLElement {
  const value = work.session.value(path);
  const items = Array.isArray(value) ? value : [];
  const field = element("fieldset", { class: "group" }, element("legend", {}, label));
  items.forEach((_, place) => {
    const own = [...path, place];
    field.append(opened(`at:${keyOf(own)}`, [summary(`${place + 1}.`, hint(items[place]))], () => [entry(work, own, kind.items ?? {}, true)]));
  });
  field.append(itemAdder(work, path, kind.items ?? {}));
  return field;
}

function summary(title: string, more = ""): HTMLElement {
  return element("summary", {}, title, more ? " " : null, more ? element("span", { class: "muted" }, more) : null);
}

/** What an item is at a glance. */
function hint(item: Value | undefined): string {
  if (typeof item === "string") return item;
  return isMapping(item) ? Object.entries(item).map(([key, one]) => (typeof one === "string" ? `${key}: ${one}` : key)).join(", ") : "";
}

function itemAdder(work: Workspace, path: Path, told: KeySchema): HTMLElement {
  const kinds = alternatives(told).filter((one) => one.properties || !one.type || !["array", "object"].includes(String(one.type)));
  const buttons = kinds.map((kind) => {
    const text = kind.properties ? `Add one with ${(kind.required ?? Object.keys(kind.properties)).slice(0, 2).join(", ")}` : "Add a text";
    const add = element("button", { type: "button" }, text);
    add.addEventListener("click", () => {
      const now = work.session.value(path);
      const made = kind.properties ? firstValue(kind) : "new";
      if (now === undefined) work.session.act({ op: "insert", path, value: [made] });
      else if (Array.isArray(now)) work.session.act({ op: "insert", path: [...path, now.length], value: made });
      else work.session.act({ op: "set", path, value: [now, made], old: now });
      tell("Added");
    });
    return add;
  });
  return element("p", { class: "row" }, ...buttons);
}

function entry(work: Workspace, path: Path, told: KeySchema, removable: boolean): HTMLElement {
  const name = String(path[path.length - 1] ?? "");
  const label = typeof path[path.length - 1] === "number" ? `${Number(name) + 1}.` : humanise(name);
  const place = element("div", { class: "pair" }, schemaField(work, path, told, label));
  if (removable) {
    const out = element("button", { type: "button", class: "plain quiet", "aria-label": `Take out ${label}` }, "×");
    out.addEventListener("click", () => {
      work.session.act({ op: "remove", path, old: work.session.value(path) ?? null });
      tell(`${label} taken out. Undo brings it back.`);
    });
    place.append(out);
  }
  return place;
}

// --- adding -----------------------------------------------------------------------------------------------

function keyAdder(work: Workspace, path: Path, known: Record<string, KeySchema>, missing: readonly string[]): HTMLElement {
  const choose = element(
    "select",
    { "aria-label": "Key to be added", "data-key": `key:${keyOf(path)}` },
    ...missing.map((key) => element("option", { value: key }, humanise(key))),
  );
  const add = element("button", { type: "button", "data-key": `add-key:${keyOf(path)}` }, "Add this key");
  add.addEventListener("click", () => {
    const key = choose.value;
    const value = firstValue(known[key] ?? {});
    const holder = work.session.value(path);
    if (holder === undefined) work.session.act({ op: "insert", path, value: { [key]: value } });
    else work.session.act({ op: "insert", path: [...path, key], value });
    tell(`${humanise(key)} added`);
  });
  return element("p", { class: "row" }, choose, add);
}

function nameAdder(work: Workspace, path: Path, kind: KeySchema): HTMLElement {
  const names = kind.propertyNames?.enum;
  const name = names
    ? element("select", { "aria-label": "New name", "data-key": `name:${keyOf(path)}` }, ...names.map((one) => element("option", { value: one }, humanise(one))))
    : element("input", { type: "text", "aria-label": "New name", "data-key": `name:${keyOf(path)}`, "data-kept": "", placeholder: "name", autocomplete: "off" });
  const add = element("button", { type: "button", "data-key": `add-name:${keyOf(path)}` }, "Add");
  add.addEventListener("click", () => {
    const key = name.value.trim();
    if (!key) return;
    if (work.session.value([...path, key]) !== undefined) return tell("This name is there already");
    if (name instanceof HTMLInputElement) name.value = "";
    const value = firstValue(below(kind) ?? {});
    if (work.session.value(path) === undefined) work.session.act({ op: "insert", path, value: { [key]: value } });
    else work.session.act({ op: "insert", path: [...path, key], value });
    tell(`${key} added`);
  });
  return element("p", { class: "row" }, name, add);
}

/** A text that may also be a mapping: by its keys from now on. */
function writeAs(work: Workspace, path: Path, now: Value, other: KeySchema): HTMLElement {
  const keys = Object.keys(other.properties ?? {}).slice(0, 3).join(", ");
  const button = element("button", { type: "button", class: "plain" }, `Write it with keys of its own (${keys}…)`);
  button.addEventListener("click", () => {
    const value = { ...(firstValue(other) as Mapping) };
    const text = textOf(now);
    const [first] = Object.keys(value);
    if (text && first && typeof value[first] === "string") value[first] = text;
    work.session.act({ op: "set", path, value, old: now });
  });
  return button;
}

const OPEN = new Set<string>();

/** Opens all that stands around a place when the page is drawn next; steps have fields of their own. */
export function openTo(path: Path): void {
  for (let depth = 1; depth <= path.length; depth++) {
    const key = keyOf(path.slice(0, depth));
    OPEN.add(`at:${key}`);
    if (depth < path.length && path[2] !== "steps") OPEN.add(`keys:${key}`);
  }
}

/** Details whose contents are made when they are opened first; what was open stays open when the page is drawn anew. */
function opened(key: string, head: Node[], contents: () => Node[]): HTMLElement {
  const place = element("div");
  const details = element("details", { class: "more", "data-key": key }, ...head, place);
  const fill = (): void => {
    if (!place.childElementCount) place.append(...contents());
  };
  if (OPEN.has(key)) {
    details.open = true;
    fill();
  }
  details.addEventListener("toggle", () => {
    if (details.open) OPEN.add(key);
    else OPEN.delete(key);
    if (details.open) fill();
  });
  return details;
}
