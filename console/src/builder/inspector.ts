// The fields of one step, made from the schema of flow files: every key of its kind, with what the schema says of it.

import schema from "../../../agent/flows/flow-pack.schema.json";
import { element } from "../dom";
import { flagField, inputField, selectField, textField } from "./fields";
import { type Mapping, type Path, humanise, isMapping, textOf, textsOf } from "./model";
import { plainly } from "./prompts";
import { conditionField } from "./rules";
import { type KeySchema, plainHelp } from "./schema";
import { type StepKind, kindOf, nameOf } from "./steps";
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
  if (WAYS.has(key)) return selectField(work, path, { label, optional: !required, choices: targets(work, flow, required) });
  const section = SECTIONS[key];
  if (section) return selectField(work, path, { label, choices: namesOf(work, section) });
  if (WORDS.has(key)) return promptField(work, path, label, !required);
  if (key === "id") return inputField(work, path, { label, type: "text", optional: true, help: "Only needed where other steps lead here." });
  if (told.enum?.includes("yes")) return flagField(work, path, { label, ...help });
  if (told.type === "object" || told.additionalProperties) return pairsField(work, flow, path, label, key === "failed", told);
  if (key === "filler_after" || key === "deadline" || key === "priority") return inputField(work, path, { label, type: "number", optional: true, placeholder: "as usual", ...help });
  return textField(work, path, { label, optional: !required, ...help });
}

/** Every step of a procedure that can be led to, and its end. */
export function targets(work: Workspace, flow: string, required: boolean): [string, string][] {
  const steps = work.session.value(["flows", flow, "steps"]);
  const named = (Array.isArray(steps) ? steps : []).flatMap((step, place): [string, string][] =>
    isMapping(step) && step["id"] ? [[nameOf(step, place), `${place + 1}. ${humanise(nameOf(step, place))}`]] : [],
  );
  return [...(required ? [] : ([["", "the following step"]] as [string, string][])), ...named, ["end", "the end of the procedure"]];
}

function namesOf(work: Workspace, section: string): [string, string][] {
  const there = work.session.value([section]);
  return Object.entries(isMapping(there) ? there : {}).map(([name, value]) => {
    const about = isMapping(value) ? textOf(value["description"]) : "";
    return [name, about ? `${humanise(name)}: ${about}` : humanise(name)];
  });
}

/** Words in place, or a prompt by its name. */
function promptField(work: Workspace, path: Path, label: string, optional: boolean): HTMLElement {
  const text = textOf(work.session.value(path));
  const prompt = text && !/\s/.test(text) ? work.session.value(["prompts", text]) : undefined;
  if (prompt === undefined) return wordsField(work, path, { label, optional });
  const first = isMapping(prompt) ? Object.values((prompt["cases"] ?? {}) as Mapping)[0] : textsOf(prompt)[0];
  const link = element("a", { href: `/builder/prompts?name=${encodeURIComponent(text)}` }, "Change its words");
  const field = inputField(work, path, { label: `${label}: the prompt of this name`, type: "text", optional });
  field.append(element("p", { class: "reads" }, `“${plainly(textOf(first))}” `, link));
  return field;
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
      ? selectField(work, own, { label: humanise(name), choices: targets(work, flow, true) })
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
    : element("input", { type: "text", "aria-label": "New name", placeholder: "name", autocomplete: "off" });
  const add = element("button", { type: "button" }, ways ? "Add a way" : "Add");
  add.addEventListener("click", () => {
    const key = name.value.trim();
    if (!key || work.session.value([...path, key]) !== undefined) return;
    const fresh = ways ? "end" : "none";
    work.session.act(missing ? { op: "insert", path, value: { [key]: fresh } } : { op: "insert", path: [...path, key], value: fresh });
  });
  return element("p", { class: "row" }, name, add);
}
