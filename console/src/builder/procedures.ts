// Procedures: an outline of their steps with the fields of the chosen one, and the map as the second view of the same choice.

import type { BuilderPage } from "./app";
import { element, setText, tell } from "../dom";
import { EntriesPage, freeName } from "./entries";
import { freshId, keepTyped, textField } from "./fields";
import { inspector } from "./inspector";
import { copiedSteps, copySteps, pastedSteps } from "./clipboard";
import { FlowMap } from "./map";
import { type Mapping, type Operation, type Path, type Value, humanise, isMapping, keyOf, textOf } from "./model";
import type { TrailEvent } from "./panel";
import { procedureOf, procedureTemplates } from "./procedure_templates";
import type { TrailStep } from "./simulation";
import { schemaAt } from "./schema";
import { moreKeys } from "./schema_form";
import { KINDS, type StepKind, freshStep, kindOf, kindWords, nameOf, stepsPath, summaryOf, waysOf } from "./steps";
import { usesOf } from "./uses";
import { type Workspace, focusKey } from "./workspace";

export function proceduresPage(work: Workspace, root: HTMLElement): BuilderPage {
  const outline = new Outline(work);
  const page: EntriesPage = new EntriesPage(work, root, {
    path: ["flows"],
    one: "procedure",
    lines: (entries) =>
      entries.map(([name, value]) => {
        const flow = isMapping(value) ? value : {};
        const steps = Array.isArray(flow["steps"]) ? flow["steps"].length : 0;
        return { name, title: humanise(name), about: `${textOf(flow["description"])} · ${steps} ${steps === 1 ? "step" : "steps"}` };
      }),
    question: "What is it for? (“to have a gift wrapped”)",
    templates: () => procedureTemplates(work),
    fresh: (title, template) => procedureOf(work, template, title),
    make: (name, value) => ({ op: "new_file", file: `flows/${name}.yaml`, value: { flows: { [name]: value } } }),
    form: (_, __, name) => outline.parts(name, () => page.draw()),
  });
  document.addEventListener("builder:trail", (event) => {
    outline.light((event as TrailEvent).detail, () => page.draw());
    // where the test call is below the outline, its words must stay in sight
    if (matchMedia("(min-width: 72.01rem)").matches) root.querySelector(".steps .last")?.scrollIntoView({ block: "nearest" });
  });
  return {
    draw: () => page.draw(),
    drawList: () => {
      page.drawList();
      outline.drawSummaries(root);
    },
    show: (path) => {
      if (path[2] === "steps" && path[3] !== undefined) outline.choose(String(path[1]), path[3]);
      const shown = page.show(path);
      if (shown) page.draw();
      return shown;
    },
  };
}

type View = "outline" | "map";

class Outline {
  #chosen = new Map<string, number>();
  #view: View = "outline";
  #traffic = false;
  #trail: readonly TrailStep[] = [];
  #map: FlowMap;

  constructor(private readonly work: Workspace) {
    this.#map = new FlowMap(work);
  }

  choose(flow: string, step: string | number): void {
    const place = typeof step === "number" ? step : this.#steps(flow).findIndex((one, at) => nameOf(one, at) === step);
    this.#chosen.set(flow, place);
  }

  /** Shows the steps that a test call has come to. */
  light(trail: readonly TrailStep[], again: () => void): void {
    this.#trail = trail;
    again();
  }

  /** The lines of the outline follow what is typed into the fields of a step. */
  drawSummaries(root: HTMLElement): void {
    for (const head of root.querySelectorAll<HTMLElement>("button.step")) {
      const step = this.#steps(head.dataset["flow"] ?? "")[Number(head.dataset["place"])];
      if (step !== undefined) fillHead(this.work, head, step);
    }
  }

  parts(flow: string, again: () => void): Node[] {
    const parts: Node[] = [this.#head(flow, again)];
    if (this.#view === "map") {
      parts.push(this.#trafficSwitch(again), this.#map.view(flow, this.#lit(flow), this.#chosenName(flow), (name) => {
        this.choose(flow, name);
        again();
      }, this.#traffic));
      const place = this.#chosen.get(flow);
      if (place !== undefined && this.#steps(flow)[place] !== undefined) {
        parts.push(element("h3", {}, `${place + 1}. ${kindWords(kindOf(this.#steps(flow)[place]))}`), this.#details(flow, place, again));
      }
    } else {
      parts.push(this.#list(flow, again));
    }
    parts.push(
      textField(this.work, ["flows", flow, "description"], { label: "What it is for, in words for callers and staff" }),
      element("p", { class: "small" }, element("a", { href: `/builder/phrases?name=${encodeURIComponent(flow)}` }, "What callers say for it")),
    );
    const path: Path = ["flows", flow];
    const more = moreKeys(this.work, path, schemaAt(path, (one) => this.work.session.value(one)), ["description", "steps"]);
    if (more) parts.push(more);
    parts.push(usesOf(this.work, "flow", flow));
    return parts;
  }

  #steps(flow: string): Value[] {
    const steps = this.work.session.value(stepsPath(flow));
    return Array.isArray(steps) ? steps : [];
  }

  #chosenName(flow: string): string {
    const place = this.#chosen.get(flow);
    return place === undefined ? "" : nameOf(this.#steps(flow)[place], place);
  }

  #lit(flow: string): string[] {
    return this.#trail.filter((one) => one.flow === flow).map((one) => one.step);
  }

  #head(flow: string, again: () => void): HTMLElement {
    const view = (name: View, text: string): HTMLElement => {
      const button = element("button", { type: "button", "aria-pressed": String(this.#view === name), "data-key": `view:${name}` }, text);
      button.addEventListener("click", () => {
        this.#view = name;
        again();
      });
      return button;
    };
    return element("div", { class: "row outline-head" }, element("h2", {}, humanise(flow)), element("div", { class: "switch", role: "group", "aria-label": "View" }, view("outline", "Outline"), view("map", "Map")));
  }

  #trafficSwitch(again: () => void): HTMLElement {
    const input = element("input", { type: "checkbox", "data-key": "traffic" });
    input.checked = this.#traffic;
    input.addEventListener("change", () => {
      this.#traffic = input.checked;
      again();
    });
    const field = element("p", { class: "field flag" }, element("label", { class: "row" }, input, "With the calls of the last 30 days"));
    field.hidden = !this.work.may("reports");
    return field;
  }

  #list(flow: string, again: () => void): HTMLElement {
    const lit = new Set(this.#lit(flow));
    const last = this.#trail[this.#trail.length - 1];
    const steps = this.#steps(flow);
    const rows = steps.flatMap((step, place) => {
      const name = nameOf(step, place);
      const words = this.work.session.heading([...stepsPath(flow), place]);
      const row = this.#row(flow, step, place, again);
      if (lit.has(name)) row.classList.add("lit");
      if (last?.flow === flow && last.step === name) row.classList.add("last");
      return words ? [element("li", { class: "heading" }, element("h3", {}, words)), row] : [row];
    });
    return element("ol", { class: "steps" }, ...rows, element("li", { class: "adding" }, this.#adder(flow, steps.length, again)));
  }

  #row(flow: string, step: Value, place: number, again: () => void): HTMLElement {
    const open = this.#chosen.get(flow) === place;
    const id = isMapping(step) ? textOf(step["id"]) : "";
    const wrong = this.#wrong(flow, place, id);
    const head = element(
      "button",
      { type: "button", class: "step", "aria-expanded": String(open), "data-key": `step:${flow}.${place}`, "data-flow": flow, "data-place": String(place) },
      element("span", { class: "place" }, String(place + 1)),
      element("span", { class: `step-kind ${kindOf(step)}` }, kindWords(kindOf(step))),
      element("span", { class: "summary" }),
      element("code"),
      wrong ? element("span", { class: "tag bad" }, wrong === 1 ? "1 finding" : `${wrong} findings`) : null,
    );
    fillHead(this.work, head, step);
    head.addEventListener("click", () => {
      if (open) this.#chosen.delete(flow);
      else this.#chosen.set(flow, place);
      again();
    });
    head.addEventListener("keydown", (event) => this.#key(event, flow, place, again));
    return element("li", {}, head, element("ul", { class: "ways" }, ...wayItems(step)), open ? this.#details(flow, place, again) : null);
  }

  #wrong(flow: string, place: number, id: string): number {
    const { findings } = this.work;
    return findings.under([...stepsPath(flow), place]).length + (id ? findings.under([...stepsPath(flow), id]).length : 0);
  }

  #details(flow: string, place: number, again: () => void): HTMLElement {
    const path = [...stepsPath(flow), place];
    return element("div", { class: "step-details" }, ...inspector(this.work, flow, path), this.#heading(path, again), this.#tools(flow, place, again));
  }

  /** The comment that heads the section which begins with a step. */
  #heading(path: Path, again: () => void): HTMLElement {
    const old = this.work.session.heading(path);
    const input = element("input", { type: "text", id: freshId(), maxlength: "100", autocomplete: "off", "data-key": `heading:${keyOf(path)}` });
    keepTyped(input, `${this.work.session.summary.id}heading:${keyOf(path)}`);
    input.value ||= old;
    input.addEventListener("change", () => {
      const value = input.value.trim();
      input.dispatchEvent(new Event("builder:used"));
      if (value === old) return;
      this.#act({ op: "heading", path, value, old });
      void this.work.session.flush().then(again);
    });
    return element("div", { class: "field" }, element("label", { for: input.id }, "Heading above it: a new section of the outline"), input);
  }

  #tools(flow: string, place: number, again: () => void): HTMLElement {
    const count = this.#steps(flow).length;
    const button = (text: string, act: () => void, off = false): HTMLElement => {
      const made = element("button", { type: "button", click: act }, text);
      made.disabled = off;
      return made;
    };
    return element(
      "div",
      { class: "row form-foot" },
      this.#adder(flow, place + 1, again),
      button("Copy", () => this.#copy(flow, place)),
      button("Copy this one too", () => this.#copy(flow, place, copiedSteps())),
      button("Paste below", () => this.#paste(flow, place + 1, again)),
      button("Duplicate", () => this.#duplicate(flow, place, again)),
      button("Up", () => this.#move(flow, place, -1, again), place === 0),
      button("Down", () => this.#move(flow, place, 1, again), place === count - 1),
      element("button", { type: "button", class: "danger", click: () => this.#remove(flow, place, again) }, "Remove"),
    );
  }

  /** A step of a chosen kind at a place; every other way stays as it was. */
  #adder(flow: string, place: number, again: () => void): HTMLElement {
    const last = place === this.#steps(flow).length;
    const kind = element("select", { "aria-label": last ? "Kind of a new step at the end" : `Kind of a new step after step ${place}`, "data-key": `kind:${flow}.${place}` }, ...KINDS.map(([name, text]) => element("option", { value: name }, text)));
    const add = element("button", { type: "button", "data-key": `add:${flow}.${place}` }, last ? "Add a step at the end" : "Add a step here");
    add.addEventListener("click", () => {
      this.#act({ op: "insert", path: [...stepsPath(flow), place], value: freshStep(this.work, kind.value as StepKind), keep_ways: true });
      this.#chosen.set(flow, place);
      again();
      focusKey(`step:${flow}.${place}`);
      tell("Step added");
    });
    return element("span", { class: "row" }, kind, add);
  }

  #move(flow: string, place: number, by: number, again: () => void): void {
    const path = [...stepsPath(flow), place];
    this.#act({ op: "move", path, to: [...stepsPath(flow), place + by], old: this.work.session.value(path) ?? null, keep_ways: true });
    this.#chosen.set(flow, place + by);
    again();
    focusKey(`step:${flow}.${place + by}`);
    tell(`Moved to place ${place + by + 1}`);
  }

  #duplicate(flow: string, place: number, again: () => void): void {
    const step = this.#steps(flow)[place];
    const id = isMapping(step) ? textOf(step["id"]) : "";
    const taken = this.#steps(flow).map(nameOf);
    this.#act({ op: "duplicate", path: [...stepsPath(flow), place], ...(id ? { as: freeName(id, taken) } : {}) });
    again();
    tell("Duplicated");
  }

  #copy(flow: string, place: number, before: readonly Mapping[] = []): void {
    const step = this.#steps(flow)[place];
    if (!isMapping(step)) return;
    const steps = [...before, step];
    copySteps(steps);
    tell(steps.length === 1 ? "Step copied" : `${steps.length} steps copied`);
  }

  /** Puts the copied steps in, as one edit. */
  #paste(flow: string, place: number, again: () => void): void {
    const steps = pastedSteps(copiedSteps(), this.#steps(flow));
    if (!steps.length) return tell("Nothing has been copied");
    const operations = steps.map((value, at): Operation => ({ op: "insert", path: [...stepsPath(flow), place + at], value, keep_ways: true }));
    this.work.session.act(...operations);
    this.#chosen.set(flow, place);
    again();
    focusKey(`step:${flow}.${place}`);
    tell(steps.length === 1 ? "Step pasted" : `${steps.length} steps pasted`);
  }

  #remove(flow: string, place: number, again: () => void): void {
    const path = [...stepsPath(flow), place];
    this.#act({ op: "remove", path, old: this.work.session.value(path) ?? null, keep_ways: true });
    this.#chosen.delete(flow);
    again();
    focusKey(`step:${flow}.${Math.min(place, this.#steps(flow).length - 1)}`);
    tell("Removed. Undo brings it back.");
  }

  #act(operation: Operation): void {
    this.work.session.act(operation);
  }

  #key(event: KeyboardEvent, flow: string, place: number, again: () => void): void {
    const letter = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey ? event.key.toLowerCase() : "";
    if (letter === "c" && getSelection()?.isCollapsed !== false) return this.#copy(flow, place);
    if (letter === "v") return this.#paste(flow, place + 1, again);
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const by = event.key === "ArrowUp" ? -1 : 1;
      if (place + by >= 0 && place + by < this.#steps(flow).length) this.#move(flow, place, by, again);
      return;
    }
    const to = event.key === "ArrowDown" ? place + 1 : event.key === "ArrowUp" ? place - 1 : -1;
    const next = to < 0 ? null : document.querySelector<HTMLElement>(`[data-key="${CSS.escape(`step:${flow}.${to}`)}"]`);
    if (!next || event.target !== event.currentTarget) return;
    event.preventDefault();
    next.focus();
  }
}

function fillHead(work: Workspace, head: HTMLElement, step: Value): void {
  const [summary, name] = [head.querySelector(".summary"), head.querySelector("code")];
  const id = isMapping(step) ? textOf(step["id"]) : "";
  if (summary) setText(summary, summaryOf(work, step));
  if (name) setText(name, id);
  if (name) name.hidden = !id;
  const ways = head.parentElement?.querySelector(".ways");
  ways?.replaceChildren(...wayItems(step));
}

function wayItems(step: Value): HTMLElement[] {
  return waysOf(step).map((way) =>
    element("li", { class: way.failure ? "failure" : "" }, element("span", { class: "muted" }, `${way.label} → `), way.target === "end" ? "end" : humanise(way.target)),
  );
}
