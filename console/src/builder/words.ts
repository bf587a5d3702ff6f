// A field for something that is said: plain, as variants by condition, or as several texts.

import { element } from "../dom";
import { type FieldOptions, bound, fitHeight, freshId, notes, textField } from "./fields";
import { listField } from "./lists";
import { type Path, isMapping, keyOf, textOf } from "./model";
import { spokenPreview } from "./preview";
import { hasConditions, segments } from "./template";
import type { Workspace } from "./workspace";

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
  return element(
    "fieldset",
    { class: "group" },
    element("legend", {}, options.label),
    element("p", { class: "help" }, "By ", element("code", {}, textOf(work.session.value([...path, "choose"]))), ":"),
    ...names.map((name) => textField(work, [...path, "cases", name], { label: `When it is ${name}`, lines: 2, below: (now) => spokenPreview(work, now) })),
    textField(work, [...path, "otherwise"], { label: "Otherwise", lines: 2, optional: true }),
  );
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
