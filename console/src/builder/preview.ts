// How a text reads when it is said: values as signs, conditions as words.

import { element } from "../dom";
import { type Piece, pieces } from "./template";
import type { Workspace } from "./workspace";

/** Null for a text that reads as it stands. */
export function spokenPreview(_: Workspace, text: string): HTMLElement | null {
  const found = pieces(text);
  if (!found.some((piece) => piece.kind !== "text")) return null;
  const line = element("p", { class: "reads" }, element("span", { class: "muted" }, "Reads: "));
  for (const piece of found) line.append(readable(piece));
  return line;
}

function readable(piece: Piece): Node | string {
  switch (piece.kind) {
    case "text":
      return piece.source;
    case "value":
      return element("span", { class: "value" }, valueWords(piece.words));
    case "tag":
      return piece.words ? element("span", { class: "when" }, ` ${piece.words}: `) : element("span", { class: "when", "aria-label": "end" }, "·");
  }
}

/** `order_number | groups` is "order number, in groups". */
export function valueWords(code: string): string {
  const [name = "", ...filters] = code.split("|").map((part) => part.trim());
  const plain = /^[\w.]+$/.test(name) ? name.replaceAll("_", " ").replaceAll(".", " ") : "…";
  const how = filters.map((filter) => FILTERS[filter.replace(/\(.*/, "")] ?? filter);
  return [plain, ...how].join(", ");
}

const FILTERS: Record<string, string> = {
  groups: "digit by digit",
  day: "as a day",
  window: "as a time of day",
  money: "as money",
  place: "as a place",
  items: "as a list of things",
  count: "as a number of things",
  listing: "as a list",
};
