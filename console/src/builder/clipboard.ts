// Copied steps: kept in this browser, so that they can be pasted in another procedure, draft or tab; as YAML for other programs.

import { freeName } from "./entries";
import { type Mapping, type Value, isMapping, textOf } from "./model";

const KEY = "orderline-copied-steps";
const END = "end";

/** The steps that were copied last. */
export function copiedSteps(): Mapping[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]") as unknown;
    return Array.isArray(kept) ? kept.filter(isMapping) : [];
  } catch {
    return [];
  }
}

export function copySteps(steps: readonly Mapping[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(steps));
  } catch {
    // a browser that keeps nothing: the text below is copied all the same
  }
  void navigator.clipboard?.writeText(yamlOf(steps)).catch(() => {});
}

/** A list of steps as YAML: every text in quotes, which is right whatever it holds. */
function yamlOf(steps: readonly Mapping[]): string {
  return steps.map((step) => `- ${Object.entries(step).map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join("\n  ")}\n`).join("");
}

/**
 * Steps as they go into a procedure: ids that are taken there get another one, ways among the steps follow, and ways to
 * steps that the procedure does not have end it, or go on where they may.
 */
export function pastedSteps(steps: readonly Mapping[], there: readonly Value[]): Mapping[] {
  const known = there.flatMap((step) => (isMapping(step) && step["id"] ? [textOf(step["id"])] : []));
  const names = new Map<string, string>();
  const taken = [...known];
  for (const step of steps) {
    const id = textOf(step["id"]);
    if (!id) continue;
    const name = taken.includes(id) ? freeName(id, taken) : id;
    names.set(id, name);
    taken.push(name);
  }
  const target = (name: string): string | null => names.get(name) ?? (name === END || known.includes(name) ? name : null);
  return steps.map((step) => pasted(step, names, target));
}

function pasted(step: Mapping, names: ReadonlyMap<string, string>, target: (name: string) => string | null): Mapping {
  const made: Mapping = {};
  for (const [key, value] of Object.entries(step)) {
    if (key === "id") made[key] = names.get(textOf(value)) ?? value;
    else if (key === "then") made[key] = target(textOf(value)) ?? END;
    else if (key === "else" || key === "next") {
      const to = target(textOf(value));
      if (to !== null) made[key] = to;
      else if (Object.keys(step).every((one) => one === "next" || one === "id")) made[key] = END;
    } else if (key === "failed" && isMapping(value)) {
      made[key] = Object.fromEntries(Object.entries(value).map(([code, name]) => [code, target(textOf(name)) ?? END]));
    } else made[key] = structuredClone(value);
  }
  return made;
}
