// Everything that a pack may hold, section by section: also what no other page is for.

import type { BuilderPage } from "./app";
import { element, tell } from "../dom";
import { humanise, isMapping, type Path, type Value } from "./model";
import { SECTIONS, firstValue, plainHelp } from "./schema";
import { schemaField } from "./schema_form";
import { type Workspace, redraw } from "./workspace";

export function packPage(work: Workspace, root: HTMLElement): BuilderPage {
  const list = element("div", { class: "entry-list" });
  const form = element("section", { class: "entry-form card", "aria-label": "The chosen section" });
  root.replaceChildren(element("div", { class: "entries" }, element("nav", { class: "entry-side", "aria-label": "All sections" }, list), form));
  let chosen = new URLSearchParams(location.search).get("name") ?? "";
  if (!(chosen in SECTIONS)) chosen = "start";
  const drawList = (): void => redraw(list, element("ul", { "data-scroll": "sections" }, ...Object.keys(SECTIONS).map((name) => line(work, name, name === chosen))));
  const draw = (): void => {
    drawList();
    redraw(form, element("h2", {}, humanise(chosen)), ...section(work, chosen));
  };
  const choose = (name: string): void => {
    chosen = name;
    const address = new URL(location.href);
    address.searchParams.set("name", name);
    history.replaceState(null, "", address);
    draw();
  };
  draw();
  return {
    draw,
    drawList,
    show: (path: Path) => {
      const name = String(path[0] ?? "");
      if (!(name in SECTIONS)) return false;
      choose(name);
      return true;
    },
  };
}

function line(work: Workspace, name: string, current: boolean): HTMLElement {
  const value = work.session.value([name]);
  const wrong = work.findings.under([name]).length;
  const link = element(
    "a",
    { href: `?name=${encodeURIComponent(name)}`, "data-key": `section:${name}` },
    element("b", {}, humanise(name)),
    wrong ? element("span", { class: "tag bad" }, wrong === 1 ? "1 finding" : `${wrong} findings`) : null,
    element("span", { class: "about" }, value === undefined ? "not there" : size(value)),
  );
  if (current) link.setAttribute("aria-current", "true");
  return element("li", {}, link);
}

function size(value: Value): string {
  if (typeof value === "string") return value;
  const count = isMapping(value) ? Object.keys(value).length : Array.isArray(value) ? value.length : 0;
  return count === 1 ? "1 entry" : `${count} entries`;
}

function section(work: Workspace, name: string): (Node | null)[] {
  const told = SECTIONS[name] ?? {};
  const path: Path = [name];
  if (work.session.value(path) === undefined) {
    const add = element("button", { type: "button", "data-key": "add-section" }, "Add this section");
    add.addEventListener("click", () => work.session.act({ op: "insert", path, value: firstValue(told) }));
    return [element("p", { class: "help" }, plainHelp(told.description ?? "")), element("p", { class: "row" }, add)];
  }
  const remove = element("button", { type: "button", class: "danger" }, "Remove this section");
  remove.addEventListener("click", () => {
    work.session.act({ op: "remove", path, old: work.session.value(path) ?? null });
    tell("Removed. Undo brings it back.");
  });
  const inOneFile = work.session.files.filter((file) => file.data && name in file.data).length === 1;
  const guarded = name === "services" && !work.may("formulas");
  return [
    guarded ? element("p", { class: "banner warn" }, "What systems can do is changed by whoever has the right to formulas.") : null,
    schemaField(work, path, told, humanise(name)),
    inOneFile ? element("div", { class: "row form-foot" }, remove) : null,
  ];
}
