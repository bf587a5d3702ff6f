// Steps of procedures: what they do in words, how they are called, where they lead.

import { type Mapping, type Path, type Value, humanise, isMapping, textOf, textsOf } from "./model";
import { plainly } from "./prompts";
import type { Workspace } from "./workspace";

export type StepKind = "collect" | "say" | "call" | "set" | "if" | "link" | "handover" | "hangup" | "next";

export const KINDS: readonly (readonly [StepKind, string])[] = [
  ["collect", "Ask"],
  ["say", "Say"],
  ["if", "Decide"],
  ["call", "Ask a system"],
  ["set", "Note"],
  ["link", "Other procedure"],
  ["handover", "To a person"],
  ["hangup", "Hang up"],
  ["next", "Go to"],
];

/** The key that makes a step what it is; a step that only leads on is "next". A hand-over may have words as well. */
export function kindOf(step: Value | undefined): StepKind {
  if (!isMapping(step)) return "next";
  const found = KINDS.map(([kind]) => kind).filter((kind) => kind !== "next" && kind in step);
  return found.find((kind) => kind !== "say") ?? found[0] ?? "next";
}

export function kindWords(kind: StepKind): string {
  return KINDS.find(([name]) => name === kind)?.[1] ?? kind;
}

/** As maps and records call it: its id, or its place from 1 on. */
export function nameOf(step: Value | undefined, place: number): string {
  return (isMapping(step) && textOf(step["id"])) || String(place + 1);
}

export function summaryOf(work: Workspace, step: Value | undefined): string {
  const kind = kindOf(step);
  const own = isMapping(step) ? step : {};
  const main = textsOf(own[kind])[0] ?? "";
  switch (kind) {
    case "say":
      return spoken(work, main);
    case "collect":
      return spoken(work, textsOf(work.session.value(["slots", main, "prompt"]))[0] ?? main) || humanise(main);
    case "if":
      return main;
    case "set":
      return Object.entries((own["set"] ?? {}) as Mapping).map(([name, value]) => `${name} = ${textOf(value)}`).join(", ");
    case "next":
      return `go on at ${textOf(own["next"])}`;
    case "link":
      return textOf(work.session.value(["flows", main, "description"])) || humanise(main);
    default:
      return main.replaceAll("_", " ");
  }
}

/** A prompt's words by its name, or words that stand in place. */
function spoken(work: Workspace, text: string): string {
  const prompt = /\s/.test(text) ? undefined : work.session.value(["prompts", text]);
  if (prompt === undefined) return plainly(text);
  const first = isMapping(prompt) ? Object.values(prompt["cases"] ?? {})[0] : textsOf(prompt)[0];
  return plainly(textOf(first));
}

export interface Way {
  label: string;
  target: string;
  failure: boolean;
}

/** Where a step leads besides to the following one. */
export function waysOf(step: Value | undefined): Way[] {
  if (!isMapping(step)) return [];
  const ways: Way[] = [];
  if (step["then"] !== undefined) ways.push({ label: "yes", target: textOf(step["then"]), failure: false });
  if (step["else"] !== undefined) ways.push({ label: "no", target: textOf(step["else"]), failure: false });
  if (isMapping(step["failed"])) {
    for (const [code, target] of Object.entries(step["failed"])) ways.push({ label: code.replaceAll("_", " "), target: textOf(target), failure: true });
  }
  if (step["next"] !== undefined) ways.push({ label: "then", target: textOf(step["next"]), failure: false });
  return ways;
}

/** A new step of a kind, with what it cannot do without. */
export function freshStep(work: Workspace, kind: StepKind): Mapping {
  const first = (section: string): string => {
    const there = work.session.value([section]);
    return isMapping(there) ? (Object.keys(there)[0] ?? "") : "";
  };
  switch (kind) {
    case "collect":
      return { collect: first("slots") };
    case "say":
      return { say: "New words." };
    case "if":
      return { if: "not verified", then: "end" };
    case "call":
      return { call: first("services") };
    case "set":
      return { set: { [first("variables") || "note"]: "'yes'" } };
    case "link":
      return { link: first("flows") };
    case "handover":
      return { handover: "caller_asked" };
    case "hangup":
      return { hangup: "answered" };
    case "next":
      return { next: "end" };
  }
}

export function stepsPath(flow: string): Path {
  return ["flows", flow, "steps"];
}

/** The path of a step by its procedure and name. */
export function stepPath(flow: string, name: string): Path {
  return [...stepsPath(flow), /^\d+$/.test(name) ? Number(name) - 1 : name];
}
