// The page of queues: figures that are asked for again while somebody looks.

import { element, setText } from "./dom";

interface QueueNow {
  name: string;
  standing: string;
  [field: string]: unknown;
}

const EVERY_MS = 3000;
const STANDINGS: Record<string, [tone: string, words: string]> = {
  open: ["good", "Open"],
  closed: ["warn", "Closed"],
  holiday: ["warn", "Holiday"],
  empty: ["bad", "Nobody logged in"],
  full: ["bad", "Full"],
  too_long: ["warn", "Wait too long"],
};

export function queues(root: HTMLElement): void {
  const ask = async (): Promise<void> => {
    if (document.hidden) return;
    let told: { queues: QueueNow[]; problem: string };
    try {
      const answer = await fetch("/api/v1/queues");
      told = answer.ok ? await answer.json() : { queues: [], problem: "The console asks in vain; load the page again." };
    } catch {
      told = { queues: [], problem: "The console does not answer." };
    }
    show(root, told.queues);
    const banner = document.querySelector<HTMLElement>("[data-queues-problem]");
    banner?.toggleAttribute("hidden", told.problem === "");
    const why = banner?.querySelector("span");
    if (why) setText(why, told.problem);
    const at = document.querySelector("[data-queues-at]");
    if (at && !told.problem) setText(at, "Figures are of now.");
  };
  setInterval(() => void ask(), EVERY_MS);
  document.addEventListener("visibilitychange", () => void ask());
}

function show(root: HTMLElement, found: QueueNow[]): void {
  for (const queue of found) {
    const card = root.querySelector(`[data-queue="${CSS.escape(queue.name)}"]`);
    const standing = card?.querySelector("[data-standing]");
    const known = STANDINGS[queue.standing];
    if (standing && known && standing.textContent !== known[1]) {
      standing.replaceChildren(element("span", { class: `tag ${known[0]}` }, known[1]));
    }
    for (const place of card?.querySelectorAll<HTMLElement>("[data-field]") ?? []) {
      const value = queue[place.dataset["field"] ?? ""];
      if (typeof value === "number") setText(place, String(value));
    }
  }
}
