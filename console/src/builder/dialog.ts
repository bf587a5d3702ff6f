// Modal dialogues: a heading, contents, and a way out by Escape or its button; the focus goes back to where it was.

import { element } from "../dom";
import { freshId } from "./fields";
import { focusAgain, focusedIn } from "./workspace";

export interface Opened {
  root: HTMLDialogElement;
  body: HTMLElement;
  close: () => void;
}

export function openDialog(title: string, contents: readonly (Node | null)[], style = ""): Opened {
  const heading = element("h2", { id: freshId(), tabindex: "-1" }, title);
  const body = element("div", { class: "dialog-body" }, ...contents);
  const close = (): void => root.close();
  const out = element("button", { type: "button", class: "plain quiet", "aria-label": "Close", click: close }, "×");
  const root = element("dialog", { class: `dialog ${style}`, "aria-labelledby": heading.id }, element("header", {}, heading, out), body);
  const before = focusedIn(document.body);
  root.addEventListener("close", () => {
    root.remove();
    // what had the focus may have been drawn anew meanwhile
    if (before && document.activeElement === document.body) focusAgain(document.body, before);
  });
  document.body.append(root);
  root.showModal();
  return { root, body, close };
}
