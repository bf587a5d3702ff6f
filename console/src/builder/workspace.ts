// What every part of the builder works with: the draft, who works on it, what is wrong in it, and redrawing.

import type { DraftSession } from "./session";
import { type Finding, Findings } from "./findings";
import { type Path, keyOf } from "./model";

export interface Workspace {
  session: DraftSession;
  findings: Findings;
  person: string;
  may: (right: string) => boolean;
}

export function findingsAt(work: Workspace, path: Path): Finding[] {
  return work.findings.at(path);
}

/** Puts new contents into a place; what had the focus keeps it, with its selection and what is scrolled. */
export function redraw(place: HTMLElement, ...contents: (Node | string | null)[]): void {
  const focused = focusedIn(place);
  const typed = typedIn(place);
  const open = new Set([...place.querySelectorAll<HTMLDetailsElement>("details[open][data-key]")].map((one) => one.dataset["key"]));
  const scrolled = [...place.querySelectorAll<HTMLElement>("[data-scroll]")].map((one) => [one.dataset["scroll"], one.scrollTop] as const);
  place.replaceChildren(...contents.filter((one): one is Node | string => one !== null));
  for (const one of place.querySelectorAll<HTMLDetailsElement>("details[data-key]")) one.open ||= open.has(one.dataset["key"]);
  for (const [name, top] of scrolled) {
    const one = place.querySelector<HTMLElement>(`[data-scroll="${CSS.escape(name ?? "")}"]`);
    if (one) one.scrollTop = top;
  }
  for (const [key, value] of typed) {
    const one = place.querySelector<HTMLInputElement>(`[data-key="${CSS.escape(key)}"]`);
    if (one) one.value = value;
  }
  if (focused) focusAgain(place, focused);
}

/** What stands in fields that belong to no place of the draft yet: `data-kept` holds what they began with. */
function typedIn(place: HTMLElement): [string, string][] {
  return [...place.querySelectorAll<HTMLInputElement>("input[data-kept][data-key]")]
    .filter((one) => one.value !== one.dataset["kept"])
    .map((one) => [one.dataset["key"] ?? "", one.value]);
}

/** What had the focus in a place: enough to find it, or its neighbour, among new contents. */
export interface Focused {
  key: string | undefined;
  /** What it is called, and how many of that name stood before it. */
  name: string;
  same: number;
  /** Its number among all that can have the focus there. */
  place: number;
  selection: [number, number] | null;
}

const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex]";

function focusable(place: ParentNode): HTMLElement[] {
  return [...place.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((one) => one.checkVisibility());
}

function nameOfControl(one: HTMLElement): string {
  const label = one instanceof HTMLInputElement || one instanceof HTMLSelectElement || one instanceof HTMLTextAreaElement ? one.labels?.[0]?.textContent : one.textContent;
  return `${one.tagName} ${one.getAttribute("aria-label") ?? label ?? ""}`;
}

/** What has the focus in a place; null where nothing there has it. */
export function focusedIn(place: HTMLElement): Focused | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === place || !place.contains(active)) return null;
  const all = focusable(place);
  const at = all.indexOf(active);
  const name = nameOfControl(active);
  const same = all.slice(0, Math.max(0, at)).filter((one) => nameOfControl(one) === name).length;
  return { key: active.dataset["key"], name, same, place: at, selection: selectionOf(active) };
}

/** Gives the focus back to it, to another one of its name, or to what stands in its place now. */
export function focusAgain(place: HTMLElement, was: Focused): void {
  const byKey = was.key === undefined ? null : place.querySelector<HTMLElement>(`[data-key="${CSS.escape(was.key)}"]`);
  const all = byKey ? [] : focusable(place);
  const byName = was.key === undefined ? all.filter((one) => nameOfControl(one) === was.name)[was.same] : undefined;
  const again = byKey ?? byName ?? all[Math.min(was.place, all.length - 1)];
  again?.focus({ preventScroll: true });
  if (again && was.selection && (byKey || byName)) restoreSelection(again, was.selection);
}

function selectionOf(element: HTMLElement): [number, number] | null {
  if (!(element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement)) return null;
  const { selectionStart, selectionEnd } = element;
  return selectionStart === null || selectionEnd === null ? null : [selectionStart, selectionEnd];
}

function restoreSelection(element: HTMLElement, [start, end]: [number, number]): void {
  if (element instanceof HTMLTextAreaElement || (element instanceof HTMLInputElement && element.selectionStart !== null)) {
    element.setSelectionRange(start, end);
  }
}

/** Moves the focus to the field of a path, to the one that holds it, or to the first one in it; true where there is one. */
export function focusField(place: ParentNode, path: Path): boolean {
  const found = fieldOf(place, path);
  if (!found) return false;
  for (let at = found.parentElement; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
  const control = found.matches(FOCUSABLE) && found.tabIndex >= 0 ? found : (focusable(found)[0] ?? found);
  control.focus();
  control.scrollIntoView({ block: "center" });
  return true;
}

/** Moves the focus to what has a key, the text of a field chosen; nothing happens where there is no such thing. */
export function focusKey(key: string): void {
  const found = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  found?.focus();
  if (found instanceof HTMLInputElement) found.select();
}

function fieldOf(place: ParentNode, path: Path): HTMLElement | null {
  for (let depth = path.length; depth > 1; depth--) {
    const key = keyOf(path.slice(0, depth));
    const inside = CSS.escape(`${key.slice(0, -1)},`);
    const found = place.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? place.querySelector<HTMLElement>(`[data-key^="${inside}"]`);
    if (found) return found;
  }
  return null;
}
