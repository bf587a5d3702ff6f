// The panel of the simulator: a call on the draft in words and keys, with what was understood, looked up and done.

import { element, setText, tell } from "../dom";
import { textOfError } from "./api";
import { freshId } from "./fields";
import { type Path, humanise } from "./model";
import { ResultValues } from "./result_values";
import { openSaveTest } from "./save_test";
import { type CallerInput, type CallerSettings, Simulation, type SimulatedTurn, type TrailStep, trailOf } from "./simulation";
import { stepPath } from "./steps";
import { meaningWords, percent, understoodWords } from "./understood";
import type { Workspace } from "./workspace";

const SILENCE_SECONDS = 8;
const EVENT = "builder:trail";

/** Told to the page when the call has moved: the steps it has come to. */
export type TrailEvent = CustomEvent<readonly TrailStep[]>;

export class TestPanel {
  readonly root = element("aside", { class: "panel card", "aria-label": "Test call", hidden: true });
  #call: Simulation;
  #words = element("ol", { class: "said", "aria-live": "polite", tabindex: "0", "aria-label": "The test call" });
  #state = element("div", { class: "stack panel-state" });
  #input = element("input", { type: "text", id: freshId(), autocomplete: "off", placeholder: "i want to send something back" });
  #problem = element("p", { class: "error", role: "alert" });
  #settings: Record<keyof Omit<CallerSettings, "outcomes">, HTMLInputElement | HTMLSelectElement>;
  #outcomes: Record<string, string> = {};
  #busy = false;
  #seq = -1;

  constructor(
    private readonly work: Workspace,
    private readonly goTo: (path: Path) => void,
  ) {
    this.#call = new Simulation(work.session.summary.id);
    this.#settings = {
      caller: element("input", { type: "tel", placeholder: "withheld" }),
      now: element("input", { type: "datetime-local" }),
      entry: options([["", "a call from outside"], ["queue_failed", "nobody took it from the queue"], ["queue_escape", "0 pressed in the queue"], ["transfer_back", "sent back by staff"]]),
      queue: options([["", "open"], ["closed", "closed"], ["holiday", "closed, a holiday"], ["empty", "nobody logged in"], ["full", "full"], ["too_long", "a long wait"]]),
    };
    this.root.append(...this.#parts());
  }

  toggle(): void {
    this.root.hidden = !this.root.hidden;
    this.root.parentElement?.classList.toggle("with-panel", !this.root.hidden);
    if (this.root.hidden) this.#light([]);
    else if (!this.#call.state) void this.#do(() => this.#begin());
    else this.#focusNext();
  }

  /** The draft has changed: the call can be played again on it. */
  drawStale(): void {
    const again = this.root.querySelector<HTMLElement>("[data-again]");
    if (again) again.hidden = !this.#call.state || this.#seq === this.work.session.seq;
  }

  #parts(): Node[] {
    const button = (text: string, act: () => Promise<unknown>, kind = ""): HTMLElement =>
      element("button", { type: "button", class: kind, click: () => void this.#do(act) }, text);
    const say = element("form", { class: "row say" }, element("label", { for: this.#input.id, class: "spoken" }, "The caller says"), this.#input, element("button", { type: "submit", class: "first" }, "Say"));
    say.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      if (text) void this.#do(() => this.#turn(/^[0-9*#]+$/.test(text) ? { keys: text } : { say: text }));
    });
    const close = element("button", { type: "button", class: "plain quiet", "aria-label": "Close the test call", click: () => this.toggle() }, "×");
    const again = button("The draft has changed: same call again", () => this.#again(), "again");
    again.dataset["again"] = "";
    again.hidden = true;
    return [
      element("header", { class: "row" }, element("h2", {}, "Test call"), close),
      this.#callerForm(),
      this.#words,
      this.#problem,
      say,
      element("p", { class: "help small muted" }, "Digits are keyed in; anything else is said."),
      element(
        "div",
        { class: "row" },
        button("Silence", () => this.#turn({ silence: SILENCE_SECONDS })),
        button("Hang up", () => this.#turn({ hangup: true })),
        button("Step back", () => this.#back()),
        button("New call", () => this.#begin()),
      ),
      again,
      this.#state,
    ];
  }

  #callerForm(): HTMLElement {
    const field = (label: string, input: HTMLElement): HTMLElement => {
      input.id = freshId();
      return element("div", { class: "field" }, element("label", { for: input.id }, label), input);
    };
    return element(
      "details",
      { class: "more" },
      element("summary", {}, "Caller and day"),
      element(
        "div",
        { class: "grid" },
        field("Caller’s number", this.#settings.caller),
        field("Day and time", this.#settings.now),
        field("Comes in as", this.#settings.entry),
        field("The queue is", this.#settings.queue),
      ),
      element("p", { class: "small muted" }, "They count from the next new call on."),
    );
  }

  async #do(act: () => Promise<unknown>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.root.setAttribute("aria-busy", "true");
    setText(this.#problem, "");
    try {
      await this.work.session.flush();
      await act();
    } catch (error) {
      setText(this.#problem, textOfError(error));
    } finally {
      this.#busy = false;
      this.root.removeAttribute("aria-busy");
      this.#draw();
      if (!this.root.hidden && !document.querySelector("dialog[open]")) this.#focusNext();
    }
  }

  async #begin(): Promise<void> {
    const { caller, now, entry, queue } = this.#settings;
    await this.#call.begin({ caller: caller.value.trim(), now: now.value, entry: entry.value, queue: queue.value, outcomes: this.#outcomes });
    this.#seq = this.work.session.seq;
  }

  async #turn(input: CallerInput): Promise<void> {
    if (!this.#call.state) await this.#begin();
    await this.#call.turn(input);
    if ("say" in input || "keys" in input) this.#input.value = "";
  }

  /** To where the call waits for something: the answer of a system, or the caller's next words. */
  #focusNext(): void {
    const answer = this.#state.querySelector<HTMLElement>("[data-key=answer]");
    (answer ?? this.#input).focus();
  }

  async #back(): Promise<void> {
    await this.#call.back();
  }

  async #again(): Promise<void> {
    const differs = await this.#call.again();
    this.#seq = this.work.session.seq;
    tell(differs === null ? "The call goes as before" : `From turn ${differs + 1} on it goes another way`);
  }

  #draw(): void {
    const { state, turns } = this.#call;
    const differs = state?.differs ?? null;
    this.#words.replaceChildren(...turns.flatMap((turn, place) => this.#turnRows(turn, place === differs)));
    this.#words.scrollTop = this.#words.scrollHeight;
    this.#state.replaceChildren(...this.#stateParts());
    this.drawStale();
    this.#light(trailOf(turns));
  }

  #light(trail: readonly TrailStep[]): void {
    document.dispatchEvent(new CustomEvent(EVENT, { detail: trail }) satisfies TrailEvent);
  }

  #turnRows(turn: SimulatedTurn, differs: boolean): HTMLElement[] {
    const rows: HTMLElement[] = [];
    const words = turn.input ? inputWords(turn.input) : "";
    if (words) rows.push(element("li", { class: "caller" }, element("span", { class: "who" }, "Caller"), element("span", {}, words, this.#understood(turn))));
    for (const effect of turn.effects ?? []) {
      const how = effect.failed ? `${effect.failed}${effect.reason ? ` (${effect.reason})` : ""}` : effect.choice || "done";
      rows.push(element("li", { class: "effect" }, element("span", { class: "who" }, "System"), element("span", {}, element("code", {}, effect.service), ` ${how.replaceAll("_", " ")}`)));
    }
    for (const { text } of turn.said ?? []) {
      rows.push(element("li", { class: "agent" }, element("span", { class: "who" }, "Agent"), element("span", {}, text, differs ? element("span", { class: "tag warn" }, "Changed") : null)));
    }
    return rows;
  }

  /** Where the call is, to open. */
  #place(flow: string, step: string): HTMLElement {
    const words = [humanise(flow), step.replaceAll("_", " ")].filter(Boolean).join(", ");
    if (!this.work.may("edit")) return element("b", {}, words);
    return element("button", { type: "button", class: "plain", click: () => this.goTo(step ? stepPath(flow, step) : ["flows", flow]) }, words);
  }

  #understood(turn: SimulatedTurn): HTMLElement | null {
    if (turn.result === "no_match") return element("span", { class: "understood" }, "not understood");
    const [best] = turn.candidates ?? [];
    if (best && turn.decision) return element("span", { class: "understood" }, `${meaningWords(this.work, best.meaning)}, ${percent(best.score)}`);
    return turn.understood ? element("span", { class: "understood" }, understoodWords(this.work, turn.understood)) : null;
  }

  #stateParts(): Node[] {
    const { state } = this.#call;
    if (!state) return [];
    const parts: Node[] = [];
    if (state.pending) parts.push(this.#pendingPart(state.pending.service));
    if (state.handover) {
      parts.push(element("div", { class: "banner" }, element("p", {}, element("b", {}, `Handed over: ${humanise(state.handover.reason)}. `), state.handover.summary)));
    } else if (state.over) {
      parts.push(element("p", {}, element("b", {}, "The call is over. "), state.outcome ? humanise(state.outcome) : ""));
    } else if (state.flow) {
      parts.push(element("p", { class: "small" }, "Now at ", this.#place(state.flow, state.step), state.listening ? `, listening for ${state.listening.replaceAll("_", " ")}` : ""));
    }
    const known = Object.entries(state.slots).filter(([, value]) => value !== null && value !== "");
    if (known.length) {
      parts.push(
        element(
          "details",
          { class: "more" },
          element("summary", {}, "What is known", element("span", { class: "muted" }, ` ${known.length}`)),
          element("dl", { class: "pairs small" }, ...known.flatMap(([name, value]) => [element("dt", {}, humanise(name)), element("dd", {}, String(value))])),
        ),
      );
    }
    if (this.#call.turns.length > 1) parts.push(element("p", {}, element("button", { type: "button", click: () => openSaveTest("Save as a test", (name, save) => this.#call.test(name, save)) }, "Save as a test")));
    return parts;
  }

  #pendingPart(service: string): HTMLElement {
    const choices = this.#call.state?.pending?.choices ?? [];
    const select = element("select", { id: freshId(), "data-key": "answer" });
    for (const choice of choices) select.append(element("option", { value: choice.id }, choice.words || choice.id));
    const always = element("input", { type: "checkbox", id: freshId() });
    const go = element("button", { type: "button", class: "first" }, "Answer");
    const own = element("details", { class: "more" }, element("summary", {}, "What it tells"));
    let values: ResultValues | null = null;
    const show = (): void => {
      const result = choices.find((one) => one.id === select.value)?.result ?? null;
      values = result === null ? null : new ResultValues(result);
      own.hidden = !values?.root.childElementCount;
      own.replaceChildren(own.firstElementChild ?? "", values?.root ?? "");
    };
    show();
    select.addEventListener("change", show);
    go.addEventListener("click", () => {
      if (always.checked) this.#outcomes[service] = select.value;
      const told = values?.changed ? { result: values.result } : { answer: select.value };
      void this.#do(() => this.#turn(told));
    });
    return element(
      "div",
      { class: "pending stack" },
      element("label", { for: select.id }, "What does ", element("code", {}, service), " answer?"),
      element("p", { class: "row" }, select, go),
      own,
      element("label", { class: "row small" }, always, "In every new call as well"),
    );
  }
}

function options(choices: readonly (readonly [string, string])[]): HTMLSelectElement {
  return element("select", {}, ...choices.map(([value, text]) => element("option", { value }, text)));
}

function inputWords(input: CallerInput): string {
  if ("say" in input) return input.say;
  if ("keys" in input) return `keys ${input.keys}`;
  if ("silence" in input) return `(silence, ${input.silence} s)`;
  return "hangup" in input ? "(hangs up)" : "";
}
