// Examples and phrases: what callers say, with what each new sentence would be taken for today.

import { element } from "../dom";
import { listField } from "./lists";
import { type Path, keyOf, textsOf } from "./model";
import { hearing } from "./understood";
import type { Workspace } from "./workspace";

export function examplesField(work: Workspace, path: Path): HTMLElement {
  return listField(work, path, {
    label: "What callers say for it",
    one: "sentence",
    placeholder: "can you wrap it up it’s a present for my niece",
    help: "Whole sentences in callers’ own words, small letters, no punctuation. Twenty that differ teach more than a hundred that do not.",
    about: (text) => hearing(work, text),
  });
}

/** Phrases are rules for who knows how they are written; they stand folded. */
export function phrasesField(work: Workspace, path: Path, label: string): HTMLElement {
  const count = textsOf(work.session.value(path)).length;
  return element(
    "details",
    { class: "more", "data-key": `${keyOf(path)}?` },
    element("summary", {}, label, element("span", { class: "muted" }, ` ${count}`)),
    element(
      "p",
      { class: "help" },
      "A phrase is a rule: (one | other), [maybe], <rule>, {slot}. Written plainly it is also listened for; with ~ in front the whole sentence may be loosely so; ",
      "with ~~ its parts may stand anywhere in the sentence.",
    ),
    listField(work, path, { label: "Phrases", one: "phrase", placeholder: "(do you | can you) gift wrap", sign: phraseSign }),
  );
}

export function phraseSign(text: string): HTMLElement {
  const [kind, words] = text.startsWith("~~") ? ["parts", "anywhere in it"] : text.startsWith("~") ? ["loose", "loosely so"] : ["exact", "exactly so"];
  return element("span", { class: `kind ${kind ?? ""}` }, words ?? "");
}
