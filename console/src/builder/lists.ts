// Lists of texts: a row a text, added, changed, moved and taken out by keyboard or by buttons.

import { element, tell } from "../dom";
import { fitHeight, freshId, keepTyped, notes, shown } from "./fields";
import { type Path, type Value, keyOf, textsOf } from "./model";
import { type Workspace, redraw } from "./workspace";

export interface ListOptions {
  label: string;
  help?: string;
  /** What one row is called: "phrase". */
  one: string;
  placeholder?: string;
  /** Stands in front of each row: a sign of its kind. */
  sign?: (text: string) => Node | null;
  /** Stands behind the rows: what else is to be said about a new text. */
  about?: (text: string) => Node | null;
}

/** A field of a text or a list of texts. A key that is missing is made by the first row, and a lone text becomes a list. */
export function listField(work: Workspace, path: Path, options: ListOptions): HTMLElement {
  const field = element("fieldset", { class: "field texts" });
  const draw = (): void => redraw(field, ...contents(work, path, options, draw));
  redraw(field, ...contents(work, path, options, draw));
  return field;
}

function contents(work: Workspace, path: Path, options: ListOptions, draw: () => void): Node[] {
  const value = work.session.value(path);
  const items = Array.isArray(value) ? value : textsOf(value);
  const texts = textsOf(value);
  const rows = element("ol", { class: "rows" });
  items.forEach((item, place) =>
    rows.append(
      typeof item === "string"
        ? row(work, path, value, item, place, items.length, options, draw)
        : element("li", { class: "fixed" }, element("span", {}, shown(item))),
    ),
  );
  const parts: Node[] = [element("legend", { class: "label" }, options.label, element("span", { class: "muted" }, ` ${items.length}`))];
  if (options.help) parts.push(element("p", { class: "help" }, options.help));
  if (items.length) parts.push(rows);
  parts.push(addRow(work, path, value, texts, options, draw));
  return parts;
}

function row(
  work: Workspace,
  path: Path,
  value: Value | undefined,
  text: string,
  place: number,
  count: number,
  options: ListOptions,
  draw: () => void,
): HTMLElement {
  const own: Path = Array.isArray(value) ? [...path, place] : path;
  const input = element("textarea", { rows: "1", "data-key": keyOf(own), "aria-label": `${options.one} ${place + 1}`, spellcheck: "false" });
  input.value = text;
  input.addEventListener("input", () => {
    work.session.put(own, input.value);
    fitHeight(input);
  });
  input.addEventListener("change", () => void work.session.flush());
  const remove = (): void => {
    if (Array.isArray(value) && count > 1) work.session.act({ op: "remove", path: own, old: work.session.value(own) ?? "" });
    else work.session.act({ op: "remove", path, old: work.session.value(path) ?? "" });
    tell(`${options.one} taken out`);
    draw();
  };
  const move = (by: number): void => {
    const to = place + by;
    if (!Array.isArray(value) || to < 0 || to >= count) return;
    work.session.act({ op: "move", path: own, to: [...path, to], old: work.session.value(own) ?? "" });
    draw();
    document.querySelector<HTMLElement>(`[data-key="${CSS.escape(keyOf([...path, to]))}"]`)?.focus();
    tell(`Moved to place ${to + 1} of ${count}`);
  };
  input.addEventListener("keydown", (event) => {
    if (event.altKey && event.key === "ArrowUp") move(-1);
    else if (event.altKey && event.key === "ArrowDown") move(1);
    else if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
  });
  queueMicrotask(() => fitHeight(input));
  const out = element("button", { type: "button", class: "plain quiet", "aria-label": `Take out ${options.one} ${place + 1}`, click: remove }, "×");
  const line = element("li", {}, options.sign?.(text) ?? null, input, out);
  notes(work, own, input, line);
  return line;
}

function addRow(
  work: Workspace,
  path: Path,
  value: Value | undefined,
  texts: string[],
  options: ListOptions,
  draw: () => void,
): HTMLElement {
  const id = freshId();
  const input = element("input", { id, type: "text", "data-key": `${keyOf(path)}+`, placeholder: options.placeholder ?? false, autocomplete: "off", spellcheck: "false" });
  keepTyped(input, `${work.session.summary.id}${keyOf(path)}`);
  const about = element("div", { class: "below", "aria-live": "polite" });
  const add = (): void => {
    const text = input.value.trim();
    if (!text) return;
    if (texts.includes(text)) return tell(`This ${options.one} is there already`);
    if (value === undefined) work.session.act({ op: "insert", path, value: [text] });
    else if (Array.isArray(value)) work.session.act({ op: "insert", path: [...path, value.length], value: text });
    else work.session.act({ op: "set", path, value: [...texts, text], old: value });
    input.value = "";
    input.dispatchEvent(new Event("builder:used"));
    tell(`${options.one} added`);
    draw();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    add();
  });
  if (options.about) {
    const look = options.about;
    input.addEventListener("input", () => about.replaceChildren(...[look(input.value.trim())].filter((one): one is Node => !!one)));
  }
  return element(
    "div",
    { class: "add" },
    element("label", { for: id, class: "spoken" }, `New ${options.one}`),
    input,
    element("button", { type: "button", click: add }, `Add ${options.one}`),
    about,
  );
}
