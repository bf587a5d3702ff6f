// A field for something that is said: plain, as variants by condition, or as several texts.

import { element, tell } from "../dom";
import { machineWord } from "./entries";
import { type FieldOptions, bound, fitHeight, freshId, notes, textField } from "./fields";
import { listField } from "./lists";
import { type Path, isMapping, keyOf, textOf } from "./model";
import { spokenPreview } from "./preview";
import { reasonsOf } from "./reasons";
import { hasConditions, segments } from "./template";
import { type Workspace, focusKey } from "./workspace";

/** A key whose value is a text, a list of texts, or a choice of texts by a value. */
export function wordsField(work: Workspace, path: Path, options: FieldOptions): HTMLElement {
  const value = work.session.value(path);
  if (Array.isArray(value)) {
    return listField(work, path, { label: options.label, one: "text", ...(options.help ? { help: options.help } : {}) });
  }
  if (isMapping(value)) return casesField(work, path, options);
  const text = textOf(value);
  if (!hasConditions(text)) {
    return textField(work, path, { ...options, lines: 2, below: (now) => spokenPreview(work, now) });
  }
  return variantsField(work, path, options);
}

/** One text for each value of an expression: {choose, cases, otherwise}. */
function casesField(work: Workspace, path: Path, options: FieldOptions): HTMLElement {
  const cases = work.session.value([...path, "cases"]);
  const names = isMapping(cases) ? Object.keys(cases) : [];
  const choose = textOf(work.session.value([...path, "choose"]));
  return element(
    "fieldset",
    { class: "group" },
    element("legend", {}, options.label),
    element("p", { class: "help" }, "By ", element("code", {}, choose), ":"),
    ...names.map((name) => caseField(work, [...path, "cases", name], name, names.length > 1)),
    newCase(work, path, choose, names),
    textField(work, [...path, "otherwise"], { label: "Otherwise", lines: 2, optional: true }),
  );
}

function caseField(work: Workspace, path: Path, name: string, removable: boolean): HTMLElement {
  const field = textField(work, path, { label: `When it is ${name.replaceAll("_", " ")}`, lines: 2, below: (now) => spokenPreview(work, now) });
  if (!removable) return field;
  const out = element("button", { type: "button", class: "plain quiet", "aria-label": `Take out the case ${name.replaceAll("_", " ")}` }, "×");
  out.addEventListener("click", () => {
    work.session.act({ op: "remove", path, old: work.session.value(path) ?? null });
    tell("Case taken out. Undo brings it back.");
  });
  return element("div", { class: "pair" }, field, out);
}

function newCase(work: Workspace, path: Path, choose: string, names: readonly string[]): HTMLElement {
  const id = freshId();
  const input = element("input", { type: "text", id, "data-key": `${keyOf(path)}+`, "data-kept": "", autocomplete: "off", spellcheck: "false" });
  const known = choose === "reason" ? reasonsOf(work).filter((one) => !names.includes(one)) : [];
  const list = element("datalist", { id: freshId() }, ...known.map((value) => element("option", { value })));
  input.setAttribute("list", list.id);
  const add = (): void => {
    const name = machineWord(input.value);
    if (!name) return input.focus();
    input.value = "";
    if (!names.includes(name)) work.session.act({ op: "insert", path: [...path, "cases", name], value: "" });
    focusKey(keyOf([...path, "cases", name]));
  };
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    add();
  });
  return element("div", { class: "field" }, element("label", { for: id }, `Another ${choose.replaceAll("_", " ")}`), element("div", { class: "add" }, input, list, element("button", { type: "button", click: add }, "Add words for it")));
}

/** The texts between the conditions, a field each; the conditions themselves stay as they are written. */
function variantsField(work: Workspace, path: Path, options: FieldOptions): HTMLElement {
  const parts = segments(textOf(work.session.value(path)));
  const list = element("ol", { class: "variants" });
  const whole = element("textarea", { rows: "3", spellcheck: "false" });
  parts.forEach((part, place) => {
    if (part.kind === "tag") return;
    const [, before = "", own = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(part.source) ?? [];
    if (!own && !part.when) return;
    const input = element("textarea", { rows: "1", id: freshId(), "data-key": `${keyOf(path)}#${place}` });
    input.value = own;
    input.addEventListener("input", () => {
      part.source = before + input.value + after;
      whole.value = parts.map((one) => one.source).join("");
      work.session.put(path, whole.value);
      fitHeight(input);
    });
    input.addEventListener("change", () => void work.session.flush());
    queueMicrotask(() => fitHeight(input));
    const words = part.when || (place ? "Always, after that" : "Always");
    list.append(element("li", { class: `depth-${Math.min(part.depth, 3)}` }, element("label", { for: input.id }, words), input));
  });
  whole.value = textOf(work.session.value(path));
  const raw = bound(work, path, whole, { label: "As one text, with its conditions" });
  whole.addEventListener("change", () => field.dispatchEvent(new Event("builder:again", { bubbles: true })));
  const field = element(
    "fieldset",
    { class: "field variants-field" },
    element("legend", { class: "label" }, options.label),
    list,
    element("details", { class: "more", "data-key": `${keyOf(path)}%` }, element("summary", {}, "As it is written in the file"), raw),
  );
  if (options.help) field.append(element("p", { class: "help" }, options.help));
  notes(work, path, list, field);
  return field;
}
