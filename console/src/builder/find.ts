// Find anything (Ctrl+K): procedures, steps, prompts, questions, answers, promotions, and every text in them.

import { element } from "../dom";
import { openDialog } from "./dialog";
import { type Mapping, type Path, type Value, humanise, isMapping } from "./model";
import { plainly } from "./prompts";
import { placeWords } from "./uses";
import type { Workspace } from "./workspace";

const MOST = 40;

interface Found {
  path: Path;
  title: string;
  text: string;
  rank: number;
}

export function openFind(work: Workspace, goTo: (path: Path) => void): void {
  if (document.querySelector("dialog.find")) return;
  const input = element("input", { type: "search", "aria-label": "Find anything", autocomplete: "off", placeholder: "A step, a prompt, words that are said…" });
  const list = element("ul", { class: "found", "aria-label": "Found" });
  const told = element("p", { class: "muted small", role: "status" });
  const opened = openDialog("Find", [input, told, list], "find");
  const draw = (): void => {
    const wanted = input.value.trim().toLowerCase();
    const found = wanted.length < 2 ? [] : search(work.session.tree, wanted).slice(0, MOST);
    told.textContent = wanted.length < 2 ? "" : found.length ? `${found.length === MOST ? "The first " : ""}${found.length} found` : "Nothing found";
    list.replaceChildren(...found.map((one) => row(one, () => {
      opened.close();
      goTo(one.path);
    })));
  };
  input.addEventListener("input", draw);
  opened.root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would only be emptied
      return opened.close();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const rows = [input, ...list.querySelectorAll<HTMLElement>("button")];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
  });
  input.focus();
}

function row(one: Found, choose: () => void): HTMLElement {
  return element("li", {}, element("button", { type: "button", click: choose }, element("b", {}, one.title), element("span", { class: "muted small" }, one.text)));
}

function search(tree: Mapping, wanted: string): Found[] {
  const found: Found[] = [];
  walk(tree, [], (path, text) => {
    const last = path[path.length - 1];
    const name = typeof last === "string" ? last.replaceAll("_", " ").toLowerCase() : "";
    const inName = path.length <= 3 && (name.includes(wanted) || last === wanted);
    const inText = text.toLowerCase().includes(wanted);
    if (!inName && !inText) return;
    found.push({ path, title: placeWords(path), text: plainly(text) || humanise(String(last)), rank: inName ? path.length : inText ? 5 + path.length : 9 });
  });
  return found.sort((one, other) => one.rank - other.rank);
}

function walk(value: Value, path: Path, visit: (path: Path, text: string) => void): void {
  if (typeof value === "string") return visit(path, value);
  if (Array.isArray(value)) return value.forEach((one, place) => walk(one, [...path, place], visit));
  if (!isMapping(value)) return;
  if (path.length === 2 || (path.length === 3 && path[0] === "knowledge")) visit(path, "");
  for (const [key, one] of Object.entries(value)) walk(one, [...path, key], visit);
}
