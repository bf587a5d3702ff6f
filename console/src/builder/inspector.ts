// The fields of one step, made from the schema of flow files: every key of its kind, with what the schema says of it.

import schema from "../../../agent/flows/flow-pack.schema.json";
import { element } from "../dom";
import { freeName, machineWord } from "./entries";
import { bound, flagField, freshId, help, inputField, notes, selectField, textField } from "./fields";
import { type Mapping, type Path, type Value, humanise, isMapping, keyOf, textOf, textsOf } from "./model";
import { plainly } from "./prompts";
import { reasonsOf } from "./reasons";
import { conditionField } from "./rules";
import { type KeySchema, plainHelp } from "./schema";
import { type StepKind, kindOf, kindWords, nameOf, stepsPath, summaryOf } from "./steps";
import type { Workspace } from "./workspace";
import { wordsField } from "./words";

const DEFINITIONS = schema.definitions as unknown as Record<string, KeySchema>;
const MODELS: Record<StepKind, string> = {
  collect: "CollectStep",
  say: "SayStep",
  call: "ServiceCallStep",
  set: "SetStep",
  if: "IfStep",
  link: "LinkStep",
  handover: "HandOverStep",
  hangup: "HangUpStep",
  next: "NextStep",
};
const NAMES: Record<string, string> = {
  collect: "Asks for",
  say: "What is said",
  prompt: "Asked in these words",
  force: "Ask although it is known",
  call: "System",
  with: "What it is given",
  save: "What is kept of the answer",
  failed: "When it fails",
  filler: "Said while it takes long",
  filler_after: "Said after so many seconds",
  deadline: "Given up after so many seconds",
  set: "Noted",
  then: "If so, goes to",
  else: "If not, goes to",
  next: "Afterwards goes to",
  link: "Procedure",
  handover: "Reason",
  queue: "Queue",
  priority: "Place in the queue",
  hangup: "Outcome",
  id: "Name of this step",
};
const WAYS = new Set(["then", "else", "next"]);
const WORDS = new Set(["say", "prompt", "filler"]);
const SECTIONS: Record<string, string> = { collect: "slots", call: "services", link: "flows" };

export function inspector(work: Workspace, flow: string, path: Path): Node[] {
  const step = work.session.value(path);
  const keys = DEFINITIONS[MODELS[kindOf(step)]]?.properties ?? {};
  const order = Object.keys(keys).filter((key) => key !== "id" && key !== "next");
  return [...order, "next", "id"].filter((key) => key in keys).map((key) => keyField(work, flow, path, key, keys[key] ?? {}));
}

function keyField(work: Workspace, flow: string, step: Path, key: string, told: KeySchema): HTMLElement {
  const path = [...step, key];
  const label = NAMES[key] ?? humanise(key);
  const help = told.description ? { help: plainHelp(told.description) } : {};
  const now = work.session.value(step);
  const required = kindOf(now) === key || key === "then";
  if (key === "if") return conditionField(work, path);
  if (WAYS.has(key)) return wayField(work, flow, path, label, required);
  const section = SECTIONS[key];
  if (section) return selectField(work, path, { label, choices: namesOf(work, section) });
  if (WORDS.has(key)) return promptField(work, path, label, !required);
  if (key === "id") return nameField(work, flow, path, label);
  if (key === "handover") return reasonField(work, path, { label, help: "A short word, as the staff and reports see it. Another than those there are is fine." });
  if (told.enum?.includes("yes")) return flagField(work, path, { label, ...help });
  if (told.type === "object" || told.additionalProperties) return pairsField(work, flow, path, label, key === "failed", told);
  if (key === "filler_after" || key === "deadline" || key === "priority") return inputField(work, path, { label, type: "number", optional: true, placeholder: "as usual", ...help });
  return textField(work, path, { label, optional: !required, ...help });
}

/** Every step of a procedure that can be led to, and its end. Steps without a name are offered by their place: "#12". */
export function targets(work: Workspace, flow: string, required: boolean): [string, string][] {
  const steps = stepsOf(work, flow).map((step, place): [string, string] => {
    const named = isMapping(step) && textOf(step["id"]);
    const words = named ? humanise(named) : `${kindWords(kindOf(step))}: ${shortened(summaryOf(work, step))}`;
    return [named || `#${place}`, `${place + 1}. ${words}`];
  });
  return [...(required ? [] : ([["", "the following step"]] as [string, string][])), ...steps, ["end", "the end of the procedure"]];
}

function stepsOf(work: Workspace, flow: string): Value[] {
  const steps = work.session.value(stepsPath(flow));
  return Array.isArray(steps) ? steps : [];
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** Where a step leads. A step without a name gets one when something is to lead to it. */
function wayField(work: Workspace, flow: string, path: Path, label: string, required: boolean): HTMLElement {
  const input = element("select", {}, ...targets(work, flow, required).map(([value, text]) => element("option", { value }, text)));
  const now = textOf(work.session.value(path));
  if (![...input.options].some((one) => one.value === now)) input.append(element("option", { value: now }, now));
  input.value = now;
  input.addEventListener("input", (event) => {
    if (!input.value.startsWith("#")) return;
    event.stopImmediatePropagation(); // the name and the way are one edit
    leadTo(work, flow, path, Number(input.value.slice(1)));
  });
  return bound(work, path, input, { label, optional: !required });
}

/** Leads a way to a step that has no name yet. */
function leadTo(work: Workspace, flow: string, path: Path, place: number): void {
  const step = stepsOf(work, flow)[place];
  const name = freeName(nameFor(work, step), stepsOf(work, flow).map(nameOf));
  const first = isMapping(step) ? Object.keys(step)[0] : undefined;
  const old = work.session.value(path);
  work.session.act(
    { op: "insert", path: [...stepsPath(flow), place, "id"], value: name, ...(first ? { before: first } : {}) },
    old === undefined ? { op: "insert", path, value: name } : { op: "set", path, value: name, old },
  );
}

function nameFor(work: Workspace, step: Value | undefined): string {
  const kind = kindOf(step);
  const own = isMapping(step) ? textOf(step[kind]) : "";
  return /^[a-z][a-z0-9_]*$/.test(own) ? own : summaryOf(work, step).split(/\s+/).slice(0, 3).join(" ") || kind;
}

/** The name of a step. Another one is written wherever the step is led to as well. */
function nameField(work: Workspace, flow: string, path: Path, label: string): HTMLElement {
  const input = element("input", { type: "text", id: freshId(), autocomplete: "off", spellcheck: "false", "data-key": keyOf(path) });
  const before = textOf(work.session.value(path));
  input.value = input.dataset["kept"] = before;
  input.addEventListener("change", () => {
    input.dataset["kept"] = input.value;
    const others = stepsOf(work, flow).map(nameOf).filter((one) => one !== before);
    const name = input.value.trim() && freeName(input.value, others);
    if (name === before) input.value = before;
    else if (!before) work.session.put(path, name, Object.keys(work.session.value(path.slice(0, -1)) ?? {})[0]);
    else if (name) setTimeout(() => work.session.act({ op: "rename", kind: "step", flow, name: before, to: name })); // when the focus is on the next field
    else work.session.put(path, undefined);
    input.dispatchEvent(new Event("builder:again", { bubbles: true }));
  });
  const field = element("div", { class: "field" }, element("label", { for: input.id }, label), input);
  field.append(help(input, "Small letters, digits and _. What leads to this step is changed with it."));
  notes(work, path, input, field);
  return field;
}

/** A reason, with those of the pack to choose from; a new one is written as it must be: "costs too much" is costs_too_much. */
function reasonField(work: Workspace, path: Path, options: { label: string; help?: string }): HTMLElement {
  const input = element("input", { type: "text", spellcheck: "false" });
  input.value = textOf(work.session.value(path));
  const list = element("datalist", { id: freshId() }, ...reasonsOf(work).map((value) => element("option", { value })));
  input.setAttribute("list", list.id);
  // a space is the beginning of another word: as _ it is kept until the word is whole
  const field = bound(work, path, input, { ...options, written: (typed) => machineWord(typed) + (/\w[^a-z0-9]+$/i.test(typed) ? "_" : "") });
  input.addEventListener("change", () => {
    input.value = machineWord(input.value);
    work.session.put(path, input.value);
  });
  field.append(list);
  return field;
}

function namesOf(work: Workspace, section: string): [string, string][] {
  const there = work.session.value([section]);
  return Object.entries(isMapping(there) ? there : {}).map(([name, value]) => {
    const about = isMapping(value) ? textOf(value["description"]) : "";
    return [name, about ? `${humanise(name)}: ${about}` : humanise(name)];
  });
}

const OWN = "=";

/** Words in place, or a prompt of the pack: the same words wherever it is said. */
function promptField(work: Workspace, path: Path, label: string, optional: boolean): HTMLElement {
  const value = work.session.value(path);
  if (value !== undefined && typeof value !== "string") return wordsField(work, path, { label, optional });
  const prompts = work.session.value(["prompts"]);
  const names = isMapping(prompts) ? Object.keys(prompts).sort() : [];
  const now = textOf(value);
  const choose = element("select", { id: freshId(), "data-key": `${keyOf(path)}@` });
  if (optional) choose.append(element("option", { value: "" }, "as usual"));
  choose.append(element("option", { value: OWN }, "in these words"), element("optgroup", { label: "A prompt" }, ...names.map((name) => element("option", { value: name }, humanise(name)))));
  choose.value = names.includes(now) ? now : now || !optional ? OWN : "";
  const words = element("div", { class: "stack" });
  const show = (): void => words.replaceChildren(...promptWords(work, path, label, choose, optional));
  choose.addEventListener("change", () => {
    const prompt = choose.value !== OWN;
    if (prompt || names.includes(textOf(work.session.value(path)))) work.session.put(path, prompt ? choose.value || undefined : "");
    show();
  });
  show();
  return element("div", { class: "field" }, element("label", { for: choose.id }, label), choose, words);
}

function promptWords(work: Workspace, path: Path, label: string, choose: HTMLSelectElement, optional: boolean): Node[] {
  const chosen = choose.value;
  if (!chosen) return [];
  if (chosen === OWN) return [wordsField(work, path, { label: `${label}, in words`, optional })];
  const prompt = work.session.value(["prompts", chosen]);
  const first = isMapping(prompt) ? Object.values((prompt["cases"] ?? {}) as Mapping)[0] : textsOf(prompt)[0];
  const link = element("a", { href: `/builder/prompts?name=${encodeURIComponent(chosen)}` }, "Change its words");
  const words = element("div", {}, element("p", { class: "reads" }, `“${plainly(textOf(first))}” `, link));
  notes(work, path, choose, words);
  return [words];
}

/** name -> expression, or failure -> step. */
function pairsField(work: Workspace, flow: string, path: Path, label: string, ways: boolean, told: KeySchema): HTMLElement {
  const value = work.session.value(path);
  const pairs = isMapping(value) ? value : {};
  const field = element("fieldset", { class: "group" }, element("legend", {}, label));
  if (told.description) field.append(element("p", { class: "help small muted" }, plainHelp(told.description)));
  for (const name of Object.keys(pairs)) {
    const own = [...path, name];
    const row = ways
      ? wayField(work, flow, own, humanise(name), true)
      : inputField(work, own, { label: name, type: "text" });
    const out = element("button", { type: "button", class: "plain quiet", "aria-label": `Take out ${name}` }, "×");
    out.addEventListener("click", () => {
      const last = Object.keys(pairs).length === 1 && kindOf(work.session.value(path.slice(0, -1))) !== path[path.length - 1];
      work.session.act(last ? { op: "remove", path, old: pairs } : { op: "remove", path: own, old: pairs[name] ?? null });
    });
    field.append(element("div", { class: "pair" }, row, out));
  }
  field.append(newPair(work, path, value === undefined, ways ? failures(work, path) : []));
  return field;
}

function failures(work: Workspace, path: Path): string[] {
  const service = textOf(work.session.value([...path.slice(0, -1), "call"]));
  return [...textsOf(work.session.value(["services", service, "failures"])), "otherwise"];
}

function newPair(work: Workspace, path: Path, missing: boolean, known: readonly string[]): HTMLElement {
  const ways = known.length > 0;
  const name = ways
    ? element("select", { "aria-label": "Failure" }, ...known.map((one) => element("option", { value: one }, humanise(one))))
    : element("input", { type: "text", "aria-label": "New name", "data-key": `${keyOf(path)}+`, "data-kept": "", placeholder: "name", autocomplete: "off" });
  const add = element("button", { type: "button" }, ways ? "Add a way" : "Add");
  add.addEventListener("click", () => {
    const key = name.value.trim();
    if (!key || work.session.value([...path, key]) !== undefined) return;
    if (!ways) name.value = "";
    const fresh = ways ? "end" : "none";
    work.session.act(missing ? { op: "insert", path, value: { [key]: fresh } } : { op: "insert", path: [...path, key], value: fresh });
  });
  return element("p", { class: "row" }, name, add);
}
