// The page of calls that go on: a card a call, with the words as they are said.

import { type BoardCall, type Line, goingOn, words } from "./board";
import { element, phone, send, setText, span, tell } from "./dom";
import type { Change, LiveEvents } from "./events";

const KEPT_AFTER_END_MS = 20_000;
const SURE_MS = 5000;

interface Action {
  right: string;
  path: string;
  label: string;
  /** What is asked before, "" for nothing. */
  sure: string;
  /** Whether one's own phone is rung for it. */
  rings: boolean;
}

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
    if (isNew) tell(`New call from ${phone(call.caller) || "a hidden number"}`);
    if (call.over) this.#end(call);
  }

  #draw(call: BoardCall, anew = false): void {
    let card = this.#cards.get(call.key);
    if (!card) {
      card = this.#make(call);
      this.#cards.set(call.key, card);
      this.#list.append(card.root);
      this.#tick();
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
    const said = element("ol", { class: "said", tabindex: "0", "aria-label": `Words of the call from ${phone(call.caller) || "a hidden number"}` });
    const foot = element("footer", {}, ...this.#actions(call));
    const root = element(
      "article",
      { class: "card live-call", "data-call": call.callId },
      element(
        "header",
        {},
        element("h3", { class: "number" }, phone(call.caller) || "Hidden number"),
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
    const actions: Action[] = [
      { right: "take_over", path: "hand-over", label: "Send to the staff queue", sure: "Send this caller to the queue now?", rings: false },
      { right: "take_over", path: "take-over", label: "Take over by phone", sure: "", rings: true },
      { right: "listen", path: "listen", label: "Listen by phone", sure: "", rings: true },
    ];
    return actions
      .filter((action) => this.#rights.has(action.right))
      .map((action) =>
        element(
          "button",
          { type: "button", click: (event: Event) => void this.#act(event.currentTarget as HTMLButtonElement, call, action) },
          action.label,
        ),
      );
  }

  async #act(button: HTMLButtonElement, call: BoardCall, action: Action): Promise<void> {
    if (action.sure && button.dataset["sure"] !== "yes") {
      button.dataset["sure"] = "yes";
      button.classList.add("danger");
      setText(button, action.sure);
      setTimeout(() => {
        button.dataset["sure"] = "";
        button.classList.remove("danger");
        setText(button, action.label);
      }, SURE_MS);
      return;
    }
    const phone = document.querySelector<HTMLInputElement>("#phone");
    if (action.rings && !phone?.value.trim()) {
      this.#say(call, "Write the number of your own phone first (beside the calls): it is rung.");
      phone?.focus();
      return;
    }
    button.disabled = true;
    this.#say(call, action.rings ? "Your phone is rung…" : "", false);
    const body = action.rings ? { phone: phone?.value.trim() } : undefined;
    const problem = await send("POST", `/api/v1/calls/${encodeURIComponent(call.callId)}/${action.path}`, body);
    button.disabled = false;
    this.#say(call, problem, problem !== "");
    if (!problem) tell(`${action.label}: done`);
  }

  #say(call: BoardCall, text: string, bad = true): void {
    const foot = this.#cards.get(call.key)?.foot;
    foot?.querySelector("p")?.remove();
    if (text) foot?.append(element("p", { class: bad ? "error" : "muted", role: bad ? "alert" : "status" }, text));
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
    if (figure) setText(figure, String(goingOn(this.#events.board)));
  }

  #drawConnection(): void {
    const place = document.querySelector("[data-connection]");
    if (!place) return;
    const away = Object.values(this.#events.board.nodes).filter((node) => node.state !== "connected");
    const ok = this.#events.connected && away.length === 0;
    const why = !this.#events.connected
      ? "The console does not answer. It is tried again; what is said meanwhile is shown then."
      : away.map((node) => `Agent ${node.name} does not answer: ${node.detail}`).join("; ");
    setText(place, ok ? "Connected: words are shown as they are said" : why);
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
