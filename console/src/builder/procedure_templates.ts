// What a new procedure begins with.

import { type Mapping, type Value, humanise, isMapping } from "./model";
import type { Workspace } from "./workspace";

/** Templates by name, with what they are in words; each procedure that there is can be one as well. */
export function procedureTemplates(work: Workspace): [string, string][] {
  const flows = work.session.value(["flows"]);
  const likes = Object.keys(isMapping(flows) ? flows : {}).map((name): [string, string] => [`like:${name}`, `Like “${humanise(name)}”: a copy of its steps`]);
  return [
    ["says", "Says something and is done"],
    ["asks", "Asks a question, answers by it"],
    ["order", "Finds the caller's order, then says something"],
    ["person", "Says something, then a person takes the call"],
    ...likes,
  ];
}

/** The steps of a template, with names that the pack has. */
export function procedureOf(work: Workspace, template: string, description: string): Mapping {
  const of = (steps: Value[]): Mapping => ({ description, steps });
  if (template.startsWith("like:")) {
    const steps = work.session.value(["flows", template.slice("like:".length), "steps"]);
    return of(Array.isArray(steps) ? structuredClone(steps) : [{ say: "New words." }]);
  }
  if (template === "asks") return of(asking(firstQuestion(work)));
  if (template === "person") return of([{ say: "I'll put you through to somebody who can help." }, { handover: "caller_asked" }]);
  if (template === "order" && has(work, "flows", "identify")) return of([{ link: "identify" }, { say: "Here is what I can tell you about your order." }]);
  return of([{ say: "New words." }]);
}

function asking(slot: string): Value[] {
  if (!slot) return [{ say: "New words." }];
  return [
    { collect: slot },
    { if: `${slot} == 'yes'`, then: "agreed" },
    { say: "All right, I'll leave it as it is.", next: "end" },
    { id: "agreed", say: "Thank you. That is noted." },
  ];
}

/** The first question that is answered with a yes or a no. */
function firstQuestion(work: Workspace): string {
  const slots = work.session.value(["slots"]);
  const found = Object.entries(isMapping(slots) ? slots : {}).find(([, slot]) => isMapping(slot) && slot["type"] === "yes_no");
  return found?.[0] ?? "";
}

function has(work: Workspace, section: string, name: string): boolean {
  return work.session.value([section, name]) !== undefined;
}
