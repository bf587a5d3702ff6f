// The reasons for which calls are handed over, as procedures name them.

import { isMapping, textOf } from "./model";
import type { Workspace } from "./workspace";

/** Every reason for which a call is handed over. */
export function reasonsOf(work: Workspace): string[] {
  const found = new Set<string>();
  const flows = work.session.value(["flows"]);
  for (const flow of isMapping(flows) ? Object.values(flows) : []) {
    const steps = isMapping(flow) && Array.isArray(flow["steps"]) ? flow["steps"] : [];
    for (const step of steps) if (isMapping(step) && textOf(step["handover"])) found.add(textOf(step["handover"]));
  }
  return [...found].sort();
}
