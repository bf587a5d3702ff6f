// Teaching: a sentence that nothing took becomes an example of what was meant; what that changes is shown before it is kept.

import { element, tell } from "../dom";
import { textOfError } from "./api";
import { openDialog } from "./dialog";
import { freshId } from "./fields";
import { runJob } from "./jobs";
import { type Mapping, type Path, humanise, isMapping, textOf } from "./model";
import { showProgress } from "./publish";
import { meaningWords } from "./understood";
import type { Workspace } from "./workspace";

interface HeardChange {
  text: string;
  before: { meaning: string; decision: string };
  after: { meaning: string; decision: string };
  times?: number;
}

interface Taught {
  problems: string[];
  own_examples?: { of: number; before: number; after: number; lost: HeardChange[] };
  tests?: { of: number; failed_before: string[]; failed_after: string[] };
  not_understood?: { of: number; before: number; after: number; gained: HeardChange[] };
}

interface Target {
  meaning: string;
  words: string;
  path: Path;
}

/** All that a sentence can be an example of. */
function targetsOf(work: Workspace): Target[] {
  const section = (...path: string[]): [string, Mapping][] => {
    const there = work.session.value(path);
    return Object.entries(isMapping(there) ? there : {}).map(([name, value]) => [name, isMapping(value) ? value : {}]);
  };
  const requests = work.may("edit")
    ? section("flows").filter(([, flow]) => flow["triggers"] !== undefined).map(([name, flow]) => ({ meaning: name, words: textOf(flow["description"]) || humanise(name), path: ["flows", name] }))
    : [];
  const answers = section("knowledge", "answers").map(([name, one]) => ({ meaning: `topic:${name}`, words: textOf(one["about"]) || humanise(name), path: ["knowledge", "answers", name] }));
  const offers = section("knowledge", "promotions").map(([name, one]) => ({ meaning: `promotion:${name}`, words: textOf(one["name"]) || humanise(name), path: ["knowledge", "promotions", name] }));
  return [...requests, ...answers, ...offers];
}

export function openTeach(work: Workspace, sentence: string, asked: string): void {
  const targets = targetsOf(work);
  const text = element("input", { type: "text", id: freshId(), autocomplete: "off" });
  text.value = plainSentence(sentence);
  const meant = element("select", { id: freshId() }, element("option", { value: "" }, "Choose…"));
  const groups: [string, (one: Target) => boolean][] = [
    ["Requests", (one) => one.path[0] === "flows"],
    ["Answers", (one) => one.meaning.startsWith("topic:")],
    ["Promotions", (one) => one.meaning.startsWith("promotion:")],
  ];
  for (const [label, belongs] of groups) {
    const own = targets.filter(belongs);
    if (own.length) meant.append(element("optgroup", { label }, ...own.map((one) => element("option", { value: one.meaning }, one.words))));
  }
  const effect = element("div", { class: "stack", "aria-live": "polite" });
  const add = element("button", { type: "submit", class: "first" }, "Teach it in this draft");
  const look = element("button", { type: "button" }, "Show what it changes first");
  const form = element(
    "form",
    { class: "stack" },
    asked ? element("p", { class: "muted" }, `The agent had said: “${asked}”`) : null,
    element("div", { class: "field" }, element("label", { for: text.id }, "The caller said"), text),
    element("div", { class: "field" }, element("label", { for: meant.id }, "and meant"), meant),
    element("p", { class: "row" }, add, look),
    effect,
  );
  const opened = openDialog("Teach a sentence", [form]);
  const chosen = (): Target | null => {
    const found = targets.find((one) => one.meaning === meant.value) ?? null;
    if (!found || !text.value.trim()) (found ? text : meant).focus();
    return text.value.trim() ? found : null;
  };
  look.addEventListener("click", () => {
    const target = chosen();
    if (target) void showEffect(work, target, plainSentence(text.value), effect);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const target = chosen();
    if (!target) return;
    teach(work, target, plainSentence(text.value));
    tell("It is in the draft");
    opened.body.replaceChildren(
      element("div", { class: "banner good", role: "status" }, element("p", {}, `“${plainSentence(text.value)}” is an example of “${target.words}” in this draft. It counts when the draft is published.`)),
      element("p", { class: "row" }, element("button", { type: "button", click: opened.close }, "Close"), element("button", { type: "button", click: () => void showEffect(work, target, "", effect) }, "Show what it changes")),
      effect,
    );
  });
  meant.focus();
}

/** As a recogniser writes it: small letters, no punctuation but the apostrophe. */
export function plainSentence(text: string): string {
  return text.toLowerCase().replaceAll("’", "'").replace(/[^\p{L}\p{N}' ]+/gu, " ").replace(/\s+/g, " ").trim();
}

function teach(work: Workspace, target: Target, sentence: string): void {
  const path = [...target.path, "examples"];
  const there = work.session.value(path);
  if (Array.isArray(there)) {
    if (!there.includes(sentence)) work.session.act({ op: "insert", path: [...path, there.length], value: sentence });
  } else if (there === undefined) work.session.act({ op: "insert", path, value: [sentence] });
  else work.session.act({ op: "set", path, value: [textOf(there), sentence].filter(Boolean), old: there });
}

async function showEffect(work: Workspace, target: Target, sentence: string, place: HTMLElement): Promise<void> {
  const [stage, bar] = [element("p", { role: "status" }, "Learning the sentences…"), element("progress", { "aria-label": "Effect" })];
  place.replaceChildren(stage, bar);
  try {
    await work.session.flush();
    // what is in the draft already is compared with what is in force
    const source = { draft: work.session.summary.id };
    const body = { source, meaning: target.meaning, examples: sentence ? [sentence] : [] };
    const told = await runJob<Taught>("/teach", body, (job) => showProgress(job, stage, bar));
    place.replaceChildren(...effectParts(work, told));
  } catch (error) {
    place.replaceChildren(element("p", { class: "error", role: "alert" }, textOfError(error)));
  }
}

function effectParts(work: Workspace, told: Taught): Node[] {
  if (told.problems.length) return told.problems.map((one) => element("p", { class: "error" }, one));
  const parts: Node[] = [];
  const { own_examples: own, tests, not_understood: missed } = told;
  if (missed) {
    parts.push(element("p", {}, element("b", {}, `${missed.after - missed.before} more `), `of ${missed.of} sentences that nothing took would be understood.`), changes(work, missed.gained));
  }
  if (own) {
    parts.push(element("p", {}, `Of the pack’s own ${own.of} examples ${own.after} are understood (before: ${own.before}).`), changes(work, own.lost));
  }
  if (tests) {
    const fresh = tests.failed_after.filter((name) => !tests.failed_before.includes(name));
    parts.push(element("p", { class: fresh.length ? "error" : "" }, fresh.length ? `Test calls that go another way: ${fresh.join(", ")}` : `All ${tests.of} test calls go as before.`));
  }
  return parts;
}

function changes(work: Workspace, all: readonly HeardChange[]): HTMLElement {
  const words = (one: { meaning: string }): string => (one.meaning ? meaningWords(work, one.meaning) : "not understood");
  return element("ul", { class: "small" }, ...all.slice(0, 12).map((one) => element("li", {}, `“${one.text}”: ${words(one.before)} → ${words(one.after)}`)));
}
