// Which draft a tab works on, and news of all drafts over one connection for all tabs of a browser.

import { shopTime } from "../dom";
import { ask } from "./api";
import type { DraftSummary } from "./model";

const CHOSEN = "orderline-draft";
const CHANNEL = "orderline-drafts";

export async function openDrafts(): Promise<DraftSummary[]> {
  return (await ask<{ drafts: DraftSummary[] }>("GET", "/drafts?state=open")).drafts;
}

/** The draft that was worked on last, else one's own, else anybody's, else a new one. */
export async function chosenDraft(person: string): Promise<DraftSummary> {
  const drafts = (await openDrafts()).sort((one, other) => other.changed_at.localeCompare(one.changed_at));
  const asked = new URLSearchParams(location.search).get("draft") ?? remembered();
  const found = drafts.find((one) => one.id === asked) ?? drafts.find((one) => one.owner === person) ?? drafts[0];
  if (found) return found;
  // two tabs that begin at the same time make one draft, not two
  return await withLock("orderline-new-draft", async () => (await openDrafts())[0] ?? (await newDraft(person)));
}

export async function newDraft(person: string): Promise<DraftSummary> {
  const day = shopTime(new Date(), { day: "numeric", month: "long" });
  return await ask<DraftSummary>("POST", "/drafts", { name: `${person}, ${day}`, client: crypto.randomUUID() });
}

export function remember(draft: DraftSummary): void {
  try {
    localStorage.setItem(CHOSEN, draft.id);
  } catch {
    // a browser that keeps nothing: the latest draft is chosen the next time
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}

async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!navigator.locks) return await work();
  return (await navigator.locks.request(name, work)) as T;
}

/** Calls back for every change of any draft. One tab holds the connection and tells the others. */
export function followDrafts(heard: (draft: DraftSummary) => void): void {
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
  const lead = (): void => {
    const source = new EventSource("/api/v1/drafts/events");
    source.addEventListener("draft", (event) => {
      const draft = JSON.parse(event.data) as DraftSummary;
      channel?.postMessage(draft);
      heard(draft);
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(lead, 5000);
    });
  };
  if (!channel || !navigator.locks) return lead();
  channel.addEventListener("message", (event: MessageEvent<DraftSummary>) => heard(event.data));
  void navigator.locks.request(CHANNEL, () => {
    lead();
    return new Promise<void>(() => {}); // until this tab is closed
  });
}
