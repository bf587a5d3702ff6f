// Phrases and examples of requests, and what callers may say at any moment.

import { element } from "../dom";
import { EntriesPage, type EntryLine, titleOf } from "./entries";
import { selectField, textField } from "./fields";
import { listField } from "./lists";
import { type Path, type Value, isMapping, textOf, textsOf } from "./model";
import { examplesField, phraseSign, phrasesField } from "./sentences";
import type { Workspace } from "./workspace";

export const PHRASE_GROUPS = [
  ["requests", "Requests"],
  ["commands", "At any moment"],
  ["escalations", "Straight to a person"],
  ["not_for_us", "Not for us"],
] as const;
export type PhraseGroup = (typeof PHRASE_GROUPS)[number][0];

export function phraseGroup(): PhraseGroup {
  const asked = new URLSearchParams(location.search).get("of");
  return PHRASE_GROUPS.find(([name]) => name === asked)?.[0] ?? "requests";
}

export function phrasesPage(work: Workspace, root: HTMLElement): EntriesPage {
  const group = phraseGroup();
  const tabs = element(
    "nav",
    { class: "tabs", "aria-label": "Kinds of phrases" },
    ...PHRASE_GROUPS.map(([name, text]) => element("a", { href: `?of=${name}`, ...(name === group ? { "aria-current": "page" } : {}) }, text)),
  );
  const below = element("div");
  root.replaceChildren(tabs, below);
  switch (group) {
    case "requests":
      return new EntriesPage(work, below, { path: ["flows"], one: "request", lines: (all) => all.flatMap(requestLine), form: requestForm });
    case "commands":
      return new EntriesPage(work, below, { path: ["commands"], one: "command", lines: (all) => all.map(plainLine), form: commandForm });
    case "escalations":
      return new EntriesPage(work, below, { path: ["escalate"], one: "reason", lines: (all) => all.map(plainLine), form: escalationForm });
    case "not_for_us":
      return new EntriesPage(work, below, { path: ["not_for_us"], one: "group", lines: (all) => all.map(plainLine), form: unservedForm });
  }
}

function requestLine([name, value]: [string, Value]): EntryLine[] {
  const flow = isMapping(value) ? value : {};
  const [examples, triggers] = [textsOf(flow["examples"]).length, Array.isArray(flow["triggers"]) ? flow["triggers"].length : 0];
  if (!examples && !triggers) return []; // begun by other procedures alone
  return [{ name, title: titleOf(name), about: `${textOf(flow["description"])} · ${examples} sentences, ${triggers} phrases` }];
}

function plainLine([name, value]: [string, Value]): EntryLine {
  const all = isMapping(value) ? Object.values(value).flatMap(textsOf) : textsOf(value);
  return { name, title: titleOf(name), about: all[0] ?? "" };
}

function requestForm(work: Workspace, path: Path, name: string): Node[] {
  return [
    element("h2", {}, titleOf(name)),
    textField(work, [...path, "description"], { label: "What it is for", help: "Read to the caller when the agent is not sure: “to return or exchange something”." }),
    examplesField(work, [...path, "examples"]),
    phrasesField(work, [...path, "triggers"], "Phrases that begin it"),
  ];
}

function commandForm(work: Workspace, path: Path, name: string): Node[] {
  return [element("h2", {}, titleOf(name)), listField(work, path, { label: "What callers say", one: "phrase", sign: phraseSign })];
}

function escalationForm(work: Workspace, path: Path, name: string): Node[] {
  return [
    element("h2", {}, titleOf(name)),
    listField(work, [...path, "words"], { label: "Single words, anywhere in what is said", one: "word" }),
    listField(work, [...path, "phrases"], { label: "Phrases", one: "phrase", sign: phraseSign }),
    textField(work, [...path, "say"], { label: "What the agent says before it hands over", optional: true }),
    selectField(work, [...path, "priority"], {
      label: "Place in the queue",
      optional: true,
      choices: [["", "as usual"], ["1", "before others (1)"], ["2", "before them (2)"], ["5", "first of all (5)"]],
    }),
  ];
}

function unservedForm(work: Workspace, path: Path, name: string): Node[] {
  const value = work.session.value(path);
  const help = "Sentences that no procedure serves: they keep the agent from taking them for something else.";
  if (!isMapping(value)) return [element("h2", {}, titleOf(name)), listField(work, path, { label: "What callers say", help, one: "sentence" })];
  return [
    element("h2", {}, titleOf(name)),
    textField(work, [...path, "topic"], { label: "Its topic, as it is said", help: "With a topic a person has the call at once: “a job with us”." }),
    listField(work, [...path, "examples"], { label: "What callers say", help, one: "sentence" }),
  ];
}
