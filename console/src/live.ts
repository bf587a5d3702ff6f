// The page of calls that go on: a card a call, with the words as they are said.

import { type BoardCall, type Line, words } from "./board";
import { csrfToken, element, setText, span, tell } from "./dom";
import type { Change, LiveEvents } from "./events";

const KEPT_AFTER_END_MS = 20_000;

interface Card {
  root: HTMLElement;
  since: HTMLElement;
  doing: HTMLElement;
  where: HTMLElement;
  said: HTMLElement;
  foot: HTMLElement;
  lines: number;
  startedMs: number;
}

export class LivePage {
  #list: HTMLElement;
  #empty: HTMLElement | null;
  #events: LiveEvents;
  #cards = new Map<string, Card>();
  #rights: Set<string>;

  constructor(list: HTMLElement, events: LiveEvents) {
    this.#list = list;
    this.#events = events;
    this.#empty = document.querySelector("[data-live-empty]");
    this.#rights = new Set((list.dataset["rights"] ?? "").split(" "));
    setInterval(() => this.#tick(), 1000);
  }

  changed(change: Change): void {
    if (change.kind === "all") this.#drawAll();
    else if (change.kind === "call") this.#drawCall(change.key, change.message.event);
    if (change.kind !== "call") this.#drawConnection();
    this.#count();
  }

  #drawAll(): void {
    for (const [key, card] of this.#cards) {
      if (!this.#events.board.calls[key]) this.#drop(key, card);
    }
    const calls = Object.values(this.#events.board.calls);
    if (!this.#cards.size) this.#list.replaceChildren();
    for (const call of calls) {
      const card = this.#cards.get(call.key);
      if (card) {
        card.said.replaceChildren();
        card.lines = 0;
      }
      this.#draw(call);
    }
  }

  #drawCall(key: string, event: string): void {
    const call = this.#events.board.calls[key];
    if (!call) return;
    const isNew = !this.#cards.has(key);
    this.#draw(call, event === "consent");
    if (isNew) tell(`New call from ${call.caller || "a hidden number"}`);
    if (call.over) this.#end(call);
  }

  #draw(call: BoardCall, anew = false): void {
    let card = this.#cards.get(call.key);
    if (!card) {
      card = this.#make(call);
      this.#cards.set(call.key, card);
      this.#list.append(card.root);
    }
    if (anew) {
      card.said.replaceChildren();
      card.lines = 0;
    }
    setText(card.doing, words(call.doing));
    card.doing.className = `doing ${call.doing}`;
    setText(card.where, [call.flow, call.step].filter(Boolean).join("."));
    const atEnd = card.said.scrollTop + card.said.clientHeight >= card.said.scrollHeight - 8;
    for (const line of call.lines.slice(card.lines)) card.said.append(lineElement(line));
    card.lines = call.lines.length;
    if (atEnd) card.said.scrollTop = card.said.scrollHeight;
  }

  #make(call: BoardCall): Card {
    const since = element("span", { class: "since" });
    const doing = element("span", { class: "doing" });
    const where = element("code", { class: "where" });
    const said = element("ol", { class: "said", tabindex: "0", "aria-label": `Words of the call from ${call.caller || "a hidden number"}` });
    const foot = element("footer", {}, ...this.#actions(call));
    const root = element(
      "article",
      { class: "card live-call", "data-call": call.callId },
      element(
        "header",
        {},
        element("h3", { class: "number" }, call.caller || "Hidden number"),
        call.callerName && element("span", { class: "muted" }, call.callerName),
        since,
        doing,
        where,
      ),
      said,
      foot,
    );
    return { root, since, doing, where, said, foot, lines: 0, startedMs: Date.parse(call.startedAt) || Date.now() };
  }

  #actions(call: BoardCall): HTMLElement[] {
    const actions: [string, string, string][] = [
      ["take_over", "Take over to the queue", "take-over"],
      ["listen", "Listen by my phone", "listen"],
    ];
    return actions
      .filter(([right]) => this.#rights.has(right))
      .map(([, label, path]) =>
        element("button", { type: "button", click: (event: Event) => void this.#act(event.currentTarget as HTMLButtonElement, call, path, label) }, label),
      );
  }

  async #act(button: HTMLButtonElement, call: BoardCall, path: string, label: string): Promise<void> {
    if (path === "take-over" && button.dataset["sure"] !== "yes") {
      button.dataset["sure"] = "yes";
      button.classList.add("danger");
      setText(button, "Take this call over now?");
      setTimeout(() => {
        button.dataset["sure"] = "";
        button.classList.remove("danger");
        setText(button, label);
      }, 5000);
      return;
    }
    button.disabled = true;
    const problem = await post(`/api/v1/calls/${encodeURIComponent(call.callId)}/${path}`, { node: call.node });
    button.disabled = false;
    const card = this.#cards.get(call.key);
    if (problem && card) {
      card.foot.querySelector(".error")?.remove();
      card.foot.append(element("p", { class: "error", role: "alert" }, problem));
    } else tell(`${label}: done`);
  }

  #end(call: BoardCall): void {
    const card = this.#cards.get(call.key);
    if (!card) return;
    card.root.classList.add("over");
    setText(card.doing, words(call.outcome) || "Ended");
    card.doing.className = "doing";
    card.foot.replaceChildren(element("a", { class: "button", href: `/calls/${encodeURIComponent(call.callId)}` }, "Open the finished call"));
    setTimeout(() => this.#drop(call.key, card), KEPT_AFTER_END_MS);
  }

  #drop(key: string, card: Card): void {
    if (card.root.contains(document.activeElement)) {
      setTimeout(() => this.#drop(key, card), KEPT_AFTER_END_MS); // never from under somebody's hands
      return;
    }
    card.root.remove();
    this.#cards.delete(key);
    this.#count();
  }

  #count(): void {
    this.#empty?.toggleAttribute("hidden", this.#cards.size > 0);
    const figure = document.querySelector("[data-figure=calls]");
    if (figure) setText(figure, String(Object.keys(this.#events.board.calls).length));
  }

  #drawConnection(): void {
    const place = document.querySelector("[data-connection]");
    if (!place) return;
    const away = Object.values(this.#events.board.nodes).filter((node) => node.state !== "connected");
    const ok = this.#events.connected && away.length === 0;
    const why = !this.#events.connected
      ? "The console does not answer. It is tried again; what is said meanwhile is shown then."
      : away.map((node) => `Agent ${node.name} does not answer: ${node.detail}`).join("; ");
    setText(place, ok ? "Live" : why);
    place.className = `tag ${ok ? "good" : "bad"}`;
  }

  #tick(): void {
    for (const [key, card] of this.#cards) {
      if (this.#events.board.calls[key]) setText(card.since, span((Date.now() - card.startedMs) / 1000));
    }
  }
}

function lineElement(line: Line): HTMLElement {
  const who = line.who === "agent" ? "Agent" : line.who === "caller" ? "Caller" : "";
  return element(
    "li",
    { class: line.who },
    element("span", { class: "who" }, who),
    element("span", { class: line.who === "note" ? "note" : "" }, line.text),
    line.responseMs !== null && element("span", { class: "ms" }, `${Math.round(line.responseMs)} ms`),
  );
}

/** Sends a change; returns what is wrong, "" when nothing is. */
export async function post(path: string, body: unknown): Promise<string> {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Orderline-Token": csrfToken() },
      body: JSON.stringify(body),
    });
    if (answer.ok) return "";
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? `The console answered ${answer.status}.`;
  } catch {
    return "The console does not answer. Try again.";
  }
}
