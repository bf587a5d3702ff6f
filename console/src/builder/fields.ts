// Form fields that are bound to a place in the pack. Each shows what is wrong there, what it was, and who else changed it.

import { element } from "../dom";
import { type KeyChange, type Path, type Value, keyOf, samePath, textOf, textsOf } from "./model";
import type { Finding } from "./findings";
import { type Workspace, findingsAt } from "./workspace";

type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export interface FieldOptions {
  label: string;
  help?: string;
  /** An optional key goes from the file when the field is emptied. */
  optional?: boolean;
  placeholder?: string;
  /** What is shown below the field, made anew with every letter. */
  below?: (value: string) => Node | null;
  /** Only shown, never changed. */
  fixed?: boolean;
  /** What is written of what was typed or chosen; the same where it is missing. */
  written?: (value: string) => string;
}

let made = 0;

/** An id that no other element has. */
export function freshId(): string {
  return `f${++made}`;
}

export function textField(work: Workspace, path: Path, options: FieldOptions & { lines?: number }): HTMLElement {
  const input = element("textarea", { rows: String(options.lines ?? 1), placeholder: options.placeholder ?? false });
  input.value = textOf(work.session.value(path));
  const fit = (): void => fitHeight(input);
  input.addEventListener("input", fit);
  queueMicrotask(fit);
  if ((options.lines ?? 1) === 1) input.addEventListener("keydown", noLineBreak);
  return bound(work, path, input, options);
}

export function inputField(work: Workspace, path: Path, options: FieldOptions & { type: "text" | "date" | "number" }): HTMLElement {
  const input = element("input", { type: options.type === "number" ? "text" : options.type, placeholder: options.placeholder ?? false });
  if (options.type === "number") input.inputMode = "decimal";
  input.value = textOf(work.session.value(path));
  return bound(work, path, input, options);
}

export function selectField(
  work: Workspace,
  path: Path,
  options: FieldOptions & { choices: readonly (readonly [string, string])[] },
): HTMLElement {
  const input = element("select");
  const now = textOf(work.session.value(path));
  const known = options.choices.some(([value]) => value === now);
  for (const [value, text] of known ? options.choices : [...options.choices, [now, now] as const]) {
    input.append(element("option", { value }, text));
  }
  input.value = now;
  return bound(work, path, input, options);
}

const TRUE = new Set(["yes", "true", "on"]);

/** A yes that stands in the file, and goes from it with a no. */
export function flagField(work: Workspace, path: Path, options: FieldOptions): HTMLElement {
  const input = element("input", { type: "checkbox", "data-key": keyOf(path) });
  input.checked = TRUE.has(textOf(work.session.value(path)));
  input.disabled = options.fixed === true;
  input.addEventListener("change", () => {
    work.session.put(path, input.checked ? "yes" : undefined);
    void work.session.flush();
  });
  const field = element("div", { class: "field flag" }, element("label", { class: "row" }, input, options.label));
  if (options.help) field.append(help(input, options.help));
  notes(work, path, input, field);
  return field;
}

export function bound(work: Workspace, path: Path, input: Input, options: FieldOptions): HTMLElement {
  input.id = freshId();
  input.dataset["key"] = keyOf(path);
  input.setAttribute("autocomplete", "off");
  if (options.fixed) input.setAttribute(input instanceof HTMLSelectElement ? "disabled" : "readonly", "");
  const below = element("div", { class: "below" });
  const show = (): void => below.replaceChildren(...[options.below?.(input.value)].filter((one): one is Node => !!one));
  const type = (): void => {
    const value = options.written ? options.written(input.value) : input.value;
    work.session.put(path, value === "" && options.optional ? undefined : value);
    show();
  };
  input.addEventListener("input", (event) => {
    if (!(event instanceof InputEvent && event.isComposing)) type();
  });
  input.addEventListener("compositionend", type);
  input.addEventListener("change", () => void work.session.flush());
  const field = element("div", { class: "field" }, element("label", { for: input.id }, options.label), input);
  if (options.help) field.append(help(input, options.help));
  if (options.below) {
    show();
    field.append(below);
  }
  notes(work, path, input, field);
  return field;
}

/** Adds a line of help to a control. */
export function help(input: HTMLElement, text: string): HTMLElement {
  const told = element("p", { class: "help", id: freshId() }, text);
  describe(input, told);
  return told;
}

function describe(input: HTMLElement, by: HTMLElement): void {
  input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), by.id].filter(Boolean).join(" "));
}

// --- what stands beside a field --------------------------------------------------------------------------

/** Adds to a field what is to be known of its place: findings, conflicts, what it was before. */
export function notes(work: Workspace, path: Path, input: HTMLElement, field: HTMLElement): void {
  const findings = element("div", { class: "notes", id: freshId() });
  field.append(findings);
  field.dataset["notes"] = keyOf(path);
  describe(input, findings);
  const draw = (): void => {
    const focused = findings.contains(document.activeElement);
    findings.replaceChildren(...findingNotes(work, path), ...conflictNotes(work, path), ...changeNotes(work, path));
    const wrong = findingsAt(work, path).some((one) => one.severity === "error");
    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    if (focused) input.focus(); // the button of a repair has done its work
  };
  draw();
  field.addEventListener("builder:notes", draw);
}

/** Has every field below a place show its notes anew. */
export function refreshNotes(place: ParentNode): void {
  for (const field of place.querySelectorAll("[data-notes]")) field.dispatchEvent(new Event("builder:notes"));
}

function findingNotes(work: Workspace, path: Path): HTMLElement[] {
  return findingsAt(work, path).map((one) =>
    element(
      "p",
      { class: `finding ${one.severity}` },
      element("b", {}, one.severity === "error" ? "Mistake: " : "Look: "),
      one.message,
      repairButton(work, one),
    ),
  );
}

/** A button that mends a finding in one click, where the check knows how. */
export function repairButton(work: Workspace, finding: Finding): HTMLElement | null {
  const { repair } = finding;
  if (!repair) return null;
  return element("button", { type: "button", click: () => work.session.act(...repair.operations) }, capital(repair.words));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function conflictNotes(work: Workspace, path: Path): HTMLElement[] {
  return work.session.conflicts
    .filter((one) => samePath(one.path, path))
    .map((one) => {
      const button = (take: "mine" | "theirs", text: string): HTMLElement =>
        element("button", { type: "button", click: () => void work.session.settle(one, take) }, text);
      return element(
        "div",
        { class: "conflict", role: "group", "aria-label": "Two people have changed this" },
        element("p", {}, element("b", {}, "Two people have changed this.")),
        element("dl", { class: "pairs" }, element("dt", {}, "Yours"), element("dd", {}, shown(one.mine)), element("dt", {}, "Theirs"), element("dd", {}, shown(one.theirs))),
        element("p", { class: "row" }, button("mine", "Take mine"), button("theirs", "Keep theirs")),
      );
    });
}

function changeNotes(work: Workspace, path: Path): HTMLElement[] {
  return work.session.changes.filter((one) => samePath(one.path, path) && one.kind === "changed").map((one) => wasNote(work, one));
}

function wasNote(work: Workspace, change: KeyChange): HTMLElement {
  const back = element("button", { type: "button", class: "plain" }, "Put back");
  back.addEventListener("click", () => {
    const old = work.session.value(change.path) ?? null;
    work.session.act({ op: "set", path: change.path, value: change.before, old });
  });
  return element("p", { class: "was" }, element("span", {}, "Was: ", element("q", {}, shown(change.before))), back);
}

/** A value as people read it. */
export function shown(value: Value | undefined): string {
  if (value === undefined || value === null || value === "") return "(nothing)";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return textsOf(value).join(" · ") || "(a list)";
  return Object.entries(value).map(([key, one]) => `${key}: ${shown(one)}`).join("; ");
}

// --- keys and sizes --------------------------------------------------------------------------------------

function noLineBreak(event: KeyboardEvent): void {
  if (event.key === "Enter" && !event.isComposing) event.preventDefault();
}

/** As high as its text. */
export function fitHeight(input: HTMLTextAreaElement): void {
  input.style.height = "auto";
  if (input.scrollHeight) input.style.height = `${input.scrollHeight + 2}px`;
}

/** What is typed into a field that belongs to no place of the pack yet is kept in this browser until it is used. */
export function keepTyped(input: HTMLInputElement | HTMLTextAreaElement, name: string): void {
  const key = `orderline-typed:${name}`;
  try {
    input.value = localStorage.getItem(key) ?? "";
    input.addEventListener("input", () => localStorage.setItem(key, input.value));
    input.addEventListener("builder:used", () => localStorage.removeItem(key));
  } catch {
    // a browser that keeps nothing
  }
}

const LEAST_LETTERS = 3;

/** A text without which a form is not sent. Returns a check that says at the field what is missing, and goes there. */
export function needed(input: HTMLInputElement | HTMLTextAreaElement, words: string): () => boolean {
  const told = element("p", { class: "error", id: freshId(), role: "alert" });
  input.required = true;
  input.form?.setAttribute("novalidate", "");
  const show = (wrong: boolean): void => {
    told.textContent = wrong ? words : "";
    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const missing = (): boolean => input.value.trim().length < LEAST_LETTERS;
  describe(input, told);
  input.after(told);
  input.addEventListener("input", () => {
    if (!missing()) show(false);
  });
  return () => {
    show(missing());
    if (missing()) input.focus();
    return !missing();
  };
}
