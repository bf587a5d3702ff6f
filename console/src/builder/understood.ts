// What a sentence would be taken for, by the draft as it is now.

import { element } from "../dom";
import { ask, textOfError } from "./api";
import { humanise } from "./model";
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

export async function understand(work: Workspace, text: string): Promise<Heard> {
  const source = { draft: work.session.summary.id };
  const told = await ask<{ heard: Heard[] }>("POST", "/understand", { source, texts: [text] });
  const [heard] = told.heard;
  if (!heard) throw new Error("The console did not say.");
  return heard;
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
