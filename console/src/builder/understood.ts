// What a sentence would be taken for, by the draft as it is now.

import { element } from "../dom";
import { textOfError } from "./api";
import { humanise } from "./model";
import { Simulation } from "./simulation";
import type { Workspace } from "./workspace";

const QUIET_MS = 350;

export interface Heard {
  text: string;
  decision: string;
  meaning: string;
  score: number;
  candidates?: { meaning: string; score: number }[];
}

let latest = 0;

/** A line that says what a sentence would be taken for, as soon as it is known. */
export function hearing(work: Workspace, text: string): HTMLElement | null {
  const mine = ++latest;
  if (!work.may("test")) return null;
  if (text.split(/\s+/).filter(Boolean).length < 2) return null;
  const line = element("p", { class: "heard muted" }, "…");
  setTimeout(() => {
    if (mine !== latest) return;
    void understand(work, text).then(
      (heard) => line.replaceChildren(...heardWords(work, heard)),
      (error: unknown) => line.replaceChildren(textOfError(error)),
    );
  }, QUIET_MS);
  return line;
}

let asking: Promise<unknown> = Promise.resolve();
let call: { simulation: Simulation; seq: number } | null = null;

/** Has a call of its own say the sentence after the greeting, and takes the turn back. */
export async function understand(work: Workspace, text: string): Promise<Heard> {
  const mine = asking.then(() => askCall(work, text));
  asking = mine.catch(() => {
    call = null; // it has ended by itself: the next sentence begins another one
  });
  return await mine;
}

async function askCall(work: Workspace, text: string): Promise<Heard> {
  await work.session.flush();
  if (call === null || call.seq !== work.session.seq) {
    await call?.simulation.end();
    const simulation = new Simulation(work.session.summary.id);
    await simulation.begin({ caller: "", now: "", entry: "", queue: "", outcomes: {} });
    call = { simulation, seq: work.session.seq };
  }
  const { simulation } = call;
  await simulation.turn({ say: text });
  const state = simulation.state;
  await simulation.back();
  const [best] = state?.candidates ?? [];
  const decision = state?.decision ?? "";
  const understood = state?.result === "understood" || decision === "act" || decision === "confirm" || decision === "choose";
  const meaning = understood ? (best?.meaning ?? state?.understood ?? "") : "";
  return { text, decision, meaning, score: best?.score ?? 1, candidates: state?.candidates ?? [] };
}

const DECISIONS: Record<string, string> = {
  act: "done at once",
  confirm: "asked about first",
  choose: "asked which of two",
  again: "not understood",
  person: "given to a person",
};

export function heardWords(work: Workspace, heard: Heard): (Node | string)[] {
  if (!heard.meaning) return [element("span", { class: "tag warn" }, "Today: not understood")];
  const tone = heard.decision === "act" ? "good" : "note";
  const rivals = (heard.candidates ?? []).filter((one) => one.meaning !== heard.meaning && one.score >= 0.1).slice(0, 2);
  return [
    element("span", { class: `tag ${tone}` }, `Today: ${meaningWords(work, heard.meaning)}`),
    ` ${DECISIONS[heard.decision] ?? heard.decision}`,
    rivals.length ? `; it may also be ${rivals.map((one) => `${meaningWords(work, one.meaning)} (${percent(one.score)})`).join(", ")}` : "",
  ];
}

export function percent(score: number): string {
  return `${Math.round(score * 100)} %`;
}

/** `topic:hours` in words of the pack. */
export function meaningWords(work: Workspace, meaning: string): string {
  const [kind, name] = meaning.includes(":") ? (meaning.split(":", 2) as [string, string]) : ["flow", meaning];
  const told =
    kind === "topic"
      ? work.session.value(["knowledge", "answers", name, "about"])
      : kind === "promotion"
        ? work.session.value(["knowledge", "promotions", name, "name"])
        : kind === "flow"
          ? work.session.value(["flows", name, "description"])
          : undefined;
  return typeof told === "string" && told ? `“${told}”` : humanise(name);
}

/** `order_number=10437, postcode=78701` in words. */
export function understoodWords(work: Workspace, understood: string): string {
  return understood
    .split(/, (?=\w+=)/)
    .map((part) => {
      const [name, value] = part.split(/=(.*)/s);
      if (value === undefined) return part.replaceAll("_", " ");
      return name === "request" ? meaningWords(work, value) : `${humanise(name ?? "")}: ${value.replaceAll("_", " ")}`;
    })
    .join(", ");
}
