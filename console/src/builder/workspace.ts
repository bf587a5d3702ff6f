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
  const active = document.activeElement;
  const inside = active instanceof HTMLElement && place.contains(active) ? active : null;
  const key = inside?.dataset["key"];
  const selection = inside && selectionOf(inside);
  const open = new Set([...place.querySelectorAll<HTMLDetailsElement>("details[open][data-key]")].map((one) => one.dataset["key"]));
  const scrolled = [...place.querySelectorAll<HTMLElement>("[data-scroll]")].map((one) => [one.dataset["scroll"], one.scrollTop] as const);
  place.replaceChildren(...contents.filter((one): one is Node | string => one !== null));
  for (const one of place.querySelectorAll<HTMLDetailsElement>("details[data-key]")) one.open ||= open.has(one.dataset["key"]);
  for (const [name, top] of scrolled) {
    const one = place.querySelector<HTMLElement>(`[data-scroll="${CSS.escape(name ?? "")}"]`);
    if (one) one.scrollTop = top;
  }
  if (key === undefined) return;
  const again = place.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  again?.focus({ preventScroll: true });
  if (again && selection) restoreSelection(again, selection);
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

/** Moves the focus to the field of a path, or to the one that holds it; true where there is one. */
export function focusField(place: ParentNode, path: Path): boolean {
  for (let depth = path.length; depth > 0; depth--) {
    const found = place.querySelector<HTMLElement>(`[data-key="${CSS.escape(keyOf(path.slice(0, depth)))}"]`);
    if (found) {
      for (let at = found.parentElement; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
      found.focus();
      found.scrollIntoView({ block: "center" });
      return true;
    }
  }
  return false;
}
