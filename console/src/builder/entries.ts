// Pages of named entries: a list to choose from, and the form of the chosen one beside it.

import { element, setText, tell } from "../dom";
import { type Operation, type Path, type Value, humanise, isMapping } from "./model";
import { type Workspace, redraw } from "./workspace";

export interface EntryLine {
  name: string;
  title: string;
  /** What it is at a glance. */
  about: string;
  tag?: { text: string; tone: string };
}

export interface EntriesOptions {
  /** The mapping that holds the entries. */
  path: Path;
  /** What one entry is called: "answer". */
  one: string;
  lines: (entries: [string, Value][]) => EntryLine[];
  form: (work: Workspace, path: Path, name: string) => Node[];
  /** The value of a new entry; without it none can be made here. */
  fresh?: (title: string, template: string) => Value;
  /** What a new entry may begin with, by name. */
  templates?: () => [string, string][];
  /** How a new entry is made where that is more than an insertion. */
  make?: (name: string, value: Value) => Operation;
  /** What is asked of a new entry: "What is it about?" */
  question?: string;
  /** What `rename` calls it. */
  kind?: string;
}

const NAME_PARAMETER = "name";

export class EntriesPage {
  #place = element("div", { class: "entries" });
  #list = element("div", { class: "entry-list" });
  #form = element("section", { class: "entry-form card", "aria-label": "The chosen entry" });
  #search = element("input", { type: "search", "data-key": "search", autocomplete: "off" });
  #chosen = new URLSearchParams(location.search).get(NAME_PARAMETER) ?? "";

  constructor(
    private readonly work: Workspace,
    root: HTMLElement,
    private readonly options: EntriesOptions,
  ) {
    this.#search.setAttribute("aria-label", `Find an ${options.one}`.replace("an p", "a p"));
    this.#search.placeholder = "Find";
    this.#search.addEventListener("input", () => this.#drawList());
    const side = element("nav", { class: "entry-side", "aria-label": `All ${options.one}s` }, this.#tools(), this.#list);
    this.#place.append(side, this.#form);
    root.replaceChildren(this.#place);
    addEventListener("popstate", () => {
      this.#chosen = new URLSearchParams(location.search).get(NAME_PARAMETER) ?? "";
      this.draw();
    });
    this.draw();
  }

  get form(): HTMLElement {
    return this.#form;
  }

  /** Shows everything as the draft has it now. */
  draw(): void {
    const names = this.#entries().map(([name]) => name);
    if (!names.includes(this.#chosen)) this.#chosen = this.#lines()[0]?.name ?? "";
    this.#drawList();
    this.#drawForm();
  }

  /** Shows the list alone anew: its words follow what is typed in the form. */
  drawList(): void {
    this.#drawList();
  }

  choose(name: string, focus = false): void {
    this.#chosen = name;
    const address = new URL(location.href);
    address.searchParams.set(NAME_PARAMETER, name);
    history.pushState(null, "", address);
    this.draw();
    if (focus) this.#form.querySelector<HTMLElement>("input, textarea")?.focus();
  }

  /** Shows the entry that a path leads into; false where it leads elsewhere. */
  show(path: Path): boolean {
    const name = path[this.options.path.length];
    if (typeof name !== "string" || !this.options.path.every((part, place) => part === path[place])) return false;
    if (name !== this.#chosen) this.choose(name);
    return true;
  }

  #entries(): [string, Value][] {
    const value = this.work.session.value(this.options.path);
    return isMapping(value) ? Object.entries(value) : [];
  }

  #lines(): EntryLine[] {
    return this.options.lines(this.#entries());
  }

  #tools(): HTMLElement {
    const tools = element("div", { class: "row" }, this.#search);
    if (this.options.fresh) tools.append(element("button", { type: "button", click: () => this.#ask() }, `New ${this.options.one}`));
    return tools;
  }

  #drawList(): void {
    const wanted = this.#search.value.trim().toLowerCase();
    const all = this.#lines();
    const lines = all.filter((line) => `${line.title} ${line.about} ${line.name}`.toLowerCase().includes(wanted));
    const rows = lines.map((line) => this.#line(line));
    const shown = this.#list.querySelector('[aria-current="true"]')?.getAttribute("href");
    redraw(
      this.#list,
      element("ul", { "data-scroll": "entries" }, ...rows),
      lines.length ? null : element("p", { class: "muted nothing" }, all.length ? "Nothing is called so." : `There is no ${this.options.one} yet.`),
    );
    const current = this.#list.querySelector<HTMLElement>('[aria-current="true"]');
    if (current && current.getAttribute("href") !== shown) showInList(current);
  }

  #line(line: EntryLine): HTMLElement {
    const path = [...this.options.path, line.name];
    const wrong = this.work.findings.under(path);
    const changed = this.work.session.changes.some((one) => path.every((part, place) => one.path[place] === part));
    const link = element(
      "a",
      { href: `?${NAME_PARAMETER}=${encodeURIComponent(line.name)}`, "data-key": `entry:${line.name}` },
      element("b", {}, line.title),
      line.tag ? element("span", { class: `tag ${line.tag.tone}` }, line.tag.text) : null,
      wrong.length ? element("span", { class: `tag ${wrong.some((one) => one.severity === "error") ? "bad" : "warn"}` }, wrong.length === 1 ? "1 finding" : `${wrong.length} findings`) : null,
      changed ? element("span", { class: "tag note" }, "Changed") : null,
      element("span", { class: "about" }, line.about),
    );
    if (line.name === this.#chosen) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.choose(line.name, event.detail === 0);
    });
    return element("li", {}, link);
  }

  #drawForm(): void {
    const path = [...this.options.path, this.#chosen];
    if (this.work.session.value(path) === undefined) {
      redraw(this.#form, element("p", { class: "muted" }, `Choose an ${this.options.one}.`));
      return;
    }
    redraw(this.#form, ...this.options.form(this.work, path, this.#chosen), this.#foot(path));
  }

  #foot(path: Path): HTMLElement | null {
    if (!this.options.fresh) return null;
    const remove = element("button", { type: "button", class: "danger" }, "Remove");
    remove.addEventListener("click", () => {
      if (remove.dataset["sure"] !== "yes") {
        remove.dataset["sure"] = "yes";
        setText(remove, `Really remove this ${this.options.one}?`);
        return tell(remove.textContent ?? "");
      }
      this.work.session.act({ op: "remove", path, old: this.work.session.value(path) ?? null });
      tell(`Removed. Undo brings it back.`);
      this.draw();
    });
    return element("div", { class: "row form-foot" }, remove);
  }

  #ask(): void {
    const input = element("input", { type: "text", id: "new-entry", autocomplete: "off" });
    const templates = this.options.templates?.() ?? [];
    const template = element("select", { id: "new-entry-template" }, ...templates.map(([value, text]) => element("option", { value }, text)));
    const cancel = element("button", { type: "button", click: () => this.draw() }, "Cancel");
    const make = element(
      "form",
      { class: "form" },
      element("h2", {}, `New ${this.options.one}`),
      element("div", { class: "field" }, element("label", { for: "new-entry" }, this.options.question ?? "Its name"), input),
      templates.length ? element("div", { class: "field" }, element("label", { for: template.id }, "It begins as"), template) : null,
      element("p", { class: "row" }, element("button", { type: "submit", class: "first" }, "Make it"), cancel),
    );
    make.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = input.value.trim();
      if (!title) return;
      const name = freeName(title, this.#entries().map(([one]) => one));
      const value = this.options.fresh?.(title, template.value) ?? "";
      this.work.session.act(this.options.make?.(name, value) ?? { op: "insert", path: [...this.options.path, name], value });
      this.choose(name, true);
    });
    redraw(this.#form, make);
    input.focus();
  }
}

/** Scrolls the list, not the page, to the chosen entry. */
function showInList(line: HTMLElement): void {
  const list = line.closest<HTMLElement>("ul");
  if (!list) return;
  const [top, height] = [line.offsetTop - list.offsetTop, line.offsetHeight];
  if (top < list.scrollTop || top + height > list.scrollTop + list.clientHeight) list.scrollTop = top - (list.clientHeight - height) / 2;
}

/** Small letters, digits and _: "Costs too much" is costs_too_much. */
export function machineWord(text: string): string {
  return text.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 40);
}

/** A name of small letters for a title, that no other entry has. */
export function freeName(title: string, taken: readonly string[]): string {
  const plain = machineWord(title);
  const base = /^[a-z]/.test(plain) ? plain : `entry_${plain}`;
  let name = base;
  for (let number = 2; taken.includes(name); number++) name = `${base}_${number}`;
  return name;
}

export function titleOf(name: string): string {
  return humanise(name);
}
