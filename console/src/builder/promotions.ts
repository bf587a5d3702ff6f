// Promotions: offers with their codes, days and rules.

import { element } from "../dom";
import { EntriesPage, type EntryLine, titleOf } from "./entries";
import { flagField, inputField, textField } from "./fields";
import { listField } from "./lists";
import { type Mapping, type Path, type Value, isMapping, textOf } from "./model";
import { spokenPreview } from "./preview";
import { examplesField, phrasesField } from "./sentences";
import type { Workspace } from "./workspace";

const PATH: Path = ["knowledge", "promotions"];

export function promotionsPage(work: Workspace, root: HTMLElement, today: string): EntriesPage {
  return new EntriesPage(work, root, {
    path: PATH,
    one: "promotion",
    kind: "promotion",
    question: "What is it called? (“the spring sale”)",
    lines: (entries) => entries.map(([name, value]) => line(name, value, today)).sort((one, other) => one.rank - other.rank),
    fresh: (title) => ({ name: title, spoken: [title.toLowerCase()], examples: [], says: "" }),
    form: (space, path, name) => form(space, path, name, today),
  });
}

function line(name: string, value: Value, today: string): EntryLine & { rank: number } {
  const entry = isMapping(value) ? value : {};
  const state = stateOf(entry, today);
  const code = textOf(entry["code"]);
  return {
    name,
    title: capital(textOf(entry["name"])) || titleOf(name),
    about: [code, daysOf(entry)].filter(Boolean).join(" · "),
    tag: state,
    rank: state.rank,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function stateOf(entry: Mapping, today: string): { text: string; tone: string; rank: number } {
  const [starts, ends] = [textOf(entry["starts"]), textOf(entry["ends"])];
  if (starts > today) return { text: "To come", tone: "note", rank: 1 };
  if (ends && ends < today) return { text: "Over", tone: "quiet", rank: 2 };
  return { text: "Valid now", tone: "good", rank: 0 };
}

function daysOf(entry: Mapping): string {
  const day = (text: string): string =>
    /^\d{4}-\d\d-\d\d$/.test(text)
      ? new Date(`${text}T12:00`).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" })
      : text;
  const [starts, ends] = [textOf(entry["starts"]), textOf(entry["ends"])];
  if (starts && ends) return `${day(starts)} to ${day(ends)}`;
  if (starts) return `from ${day(starts)}`;
  return ends ? `until ${day(ends)}` : "always";
}

/** In words, what callers get by these rules: read it before publishing. */
export function rulesInWords(entry: Mapping): string {
  const rules: string[] = [];
  const minimum = textOf(entry["minimum"]);
  if (minimum) rules.push(`orders of ${minimum} or more`);
  if (isYes(entry["first_order"])) rules.push("a first order only");
  const tiers = Array.isArray(entry["tiers"]) ? entry["tiers"].map(textOf) : [textOf(entry["tiers"])];
  if (tiers.some(Boolean)) rules.push(`members of ${tiers.filter(Boolean).join(", ")}`);
  if (isYes(entry["once"])) rules.push("once a customer");
  return `For ${rules.join(", ") || "everybody"}; ${daysOf(entry)}.`;
}

function isYes(value: Value | undefined): boolean {
  return ["yes", "true", "on"].includes(textOf(value));
}

function form(work: Workspace, path: Path, name: string, today: string): Node[] {
  const at = (key: string): Path => [...path, key];
  const entry = work.session.value(path);
  const now = isMapping(entry) ? entry : {};
  const summary = element("p", { class: "in-words" }, element("span", { class: `tag ${stateOf(now, today).tone}` }, stateOf(now, today).text), ` ${rulesInWords(now)}`);
  const rules = element(
    "fieldset",
    { class: "group" },
    element("legend", {}, "Days and rules"),
    summary,
    element(
      "div",
      { class: "grid" },
      inputField(work, at("starts"), { label: "First day", type: "date", optional: true }),
      inputField(work, at("ends"), { label: "Last day", type: "date", optional: true }),
      inputField(work, at("minimum"), { label: "Orders of at least", type: "number", optional: true, placeholder: "any amount" }),
    ),
    flagField(work, at("first_order"), { label: "Only for a first order" }),
    flagField(work, at("once"), { label: "Only once for a customer" }),
    listField(work, at("tiers"), { label: "Only for these loyalty tiers", one: "tier", placeholder: "gold" }),
  );
  rules.addEventListener("input", () => queueMicrotask(() => refreshSummary(work, path, summary, today)));
  rules.addEventListener("change", () => queueMicrotask(() => refreshSummary(work, path, summary, today)));
  return [
    element("h2", {}, capital(textOf(now["name"])) || titleOf(name)),
    textField(work, at("says"), { label: "What the agent says", lines: 3, below: (text) => spokenPreview(work, text) }),
    element(
      "div",
      { class: "grid" },
      textField(work, at("name"), { label: "Name, as it is said", help: "“the autumn sale”" }),
      inputField(work, at("code"), { label: "Code", type: "text", optional: true, placeholder: "none" }),
    ),
    rules,
    examplesField(work, at("examples")),
    phrasesField(work, at("spoken"), "How callers name it"),
  ];
}

function refreshSummary(work: Workspace, path: Path, summary: HTMLElement, today: string): void {
  const entry = work.session.value(path);
  if (!isMapping(entry)) return;
  const state = stateOf(entry, today);
  summary.replaceChildren(element("span", { class: `tag ${state.tone}` }, state.text), ` ${rulesInWords(entry)}`);
}
