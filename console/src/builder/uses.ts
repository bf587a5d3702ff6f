// Where something of the pack is used: asked for when it is wanted.

import { element } from "../dom";
import { ask, quoted, textOfError } from "./api";
import { type Path, humanise } from "./model";
import type { Workspace } from "./workspace";

interface Use {
  file: string;
  path: Path;
  line: number;
}

export function usesOf(work: Workspace, kind: string, name: string): HTMLElement {
  const list = element("div", { class: "uses" });
  const field = element("details", { class: "more", "data-key": `uses:${kind}.${name}` }, element("summary", {}, "Where it is used"), list);
  field.addEventListener("toggle", () => {
    if (!field.open || list.childElementCount) return;
    list.replaceChildren(element("p", { class: "muted" }, "Looking…"));
    ask<{ uses: Use[] }>("GET", `${work.session.address}/uses?kind=${quoted(kind)}&name=${quoted(name)}`).then(
      ({ uses }) => list.replaceChildren(uses.length ? element("ul", {}, ...uses.map(line)) : element("p", { class: "muted" }, "Nowhere.")),
      (error: unknown) => list.replaceChildren(element("p", { class: "error" }, textOfError(error))),
    );
  });
  return field;
}

function line(use: Use): HTMLElement {
  return element("li", {}, placeWords(use.path), " ", element("span", { class: "muted small" }, use.line ? `${use.file}, line ${use.line}` : use.file));
}

/** A path in words: "Returns, step 3". */
export function placeWords(path: Path): string {
  const [section, name, third, fourth] = path;
  const own = humanise(String(name ?? section ?? ""));
  if (section === "flows" && third === "steps" && fourth !== undefined) {
    return `${own}, step ${typeof fourth === "number" ? fourth + 1 : `“${fourth}”`}`;
  }
  if (section === "knowledge") return `${humanise(String(third ?? name ?? ""))} (${name === "promotions" ? "promotion" : "answer"})`;
  if (section === "prompts") return `${own} (prompt)`;
  if (section === "slots") return `${own} (question)`;
  return [section, name, third].filter((part) => part !== undefined).map((part) => humanise(String(part))).join(", ");
}
