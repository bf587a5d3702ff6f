// What a service tells in a test call, value by value, so that one can say what it would be: a price, a day, a state.

import { element } from "../dom";
import { freshId } from "./fields";
import { humanise } from "./model";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

type Place = (string | number)[];

/** Fields for the single values of a result, and the result as they have it now. */
export class ResultValues {
  readonly root = element("div", { class: "values" });
  #now: Json;
  changed = false;

  constructor(result: Json) {
    this.#now = structuredClone(result);
    this.root.append(...leaves(this.#now, []).map(([place, value]) => this.#field(place, value)));
  }

  get result(): Json {
    return this.#now;
  }

  #field(place: Place, value: Json): HTMLElement {
    const id = freshId();
    const input = typeof value === "boolean" ? choice(id, value) : element("input", { type: "text", id, autocomplete: "off", placeholder: value === null ? "nothing" : false });
    if (typeof value !== "boolean") input.value = value === null ? "" : String(value);
    input.addEventListener("input", () => {
      this.changed = true;
      put(this.#now, place, readAs(value, input.value));
    });
    return element("div", { class: "field" }, element("label", { for: id }, placeName(place)), input);
  }
}

function choice(id: string, value: boolean): HTMLSelectElement {
  const made = element("select", { id }, element("option", { value: "true" }, "yes"), element("option", { value: "false" }, "no"));
  made.value = String(value);
  return made;
}

/** "Items 1 price"; the name of the whole is left out. */
function placeName(place: Place): string {
  const shown = place.length > 1 ? place.slice(1) : place;
  return humanise(shown.map((part) => (typeof part === "number" ? String(part + 1) : part)).join(" "));
}

/** Every single value, and its place. Lists of single values stay as they are. */
function leaves(value: Json, place: Place): [Place, Json][] {
  if (value === null || typeof value !== "object") return [[place, value]];
  if (Array.isArray(value)) return value.flatMap((one, at) => (typeof one === "object" ? leaves(one, [...place, at]) : []));
  return Object.entries(value).flatMap(([key, one]) => leaves(one, [...place, key]));
}

function put(root: Json, place: Place, value: Json): void {
  let at = root as { [key: string | number]: Json };
  for (const part of place.slice(0, -1)) at = at[part] as { [key: string | number]: Json };
  at[place[place.length - 1] ?? ""] = value;
}

/** What was typed, as the kind of value that stood there: a number stays a number where one was typed. */
function readAs(before: Json, typed: string): Json {
  if (typeof before === "boolean") return typed === "true";
  if (before === null && typed === "") return null;
  const number = Number(typed);
  return typeof before !== "string" && typed.trim() !== "" && Number.isFinite(number) ? number : typed;
}
