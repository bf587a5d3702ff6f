// Prompts, and the questions of slots: everything that is said in more than one place.

import { element } from "../dom";
import { EntriesPage, type EntryLine, titleOf } from "./entries";
import { inputField, selectField, textField } from "./fields";
import { listField } from "./lists";
import { type Path, type Value, isMapping, textOf, textsOf } from "./model";
import { phraseSign } from "./sentences";
import { valueWords } from "./preview";
import { pieces } from "./template";
import { schemaAt } from "./schema";
import { moreKeys } from "./schema_form";
import { usesOf } from "./uses";
import { wordsField } from "./words";
import type { Workspace } from "./workspace";

export function promptsPage(work: Workspace, root: HTMLElement): EntriesPage {
  return new EntriesPage(work, root, {
    path: ["prompts"],
    one: "prompt",
    kind: "prompt",
    question: "Its name (“gift wrapping offered”)",
    lines: (entries) => entries.map(([name, value]) => promptLine(name, value)).sort((one, other) => one.title.localeCompare(other.title)),
    fresh: () => "",
    form: (space, path, name) => [
      element("h2", {}, titleOf(name)),
      wordsField(space, path, { label: "What is said", help: "Variants keep their conditions. A value like {{ shop }} is put in when it is said." }),
      moreKeys(space, path, isMapping(space.session.value(path)) ? schemaAt(path, (one) => space.session.value(one)) : null, []),
      usesOf(space, "prompt", name),
    ].filter((one) => one !== null),
  });
}

function promptLine(name: string, value: Value): EntryLine {
  const text = isMapping(value) ? textOf(value["otherwise"]) || textsOf(Object.values(value["cases"] ?? {}))[0] || "" : (textsOf(value)[0] ?? "");
  return { name, title: titleOf(name), about: plainly(text) };
}

/** A text without its conditions, values as words: for lists. */
export function plainly(text: string): string {
  return pieces(text)
    .map((piece) => (piece.kind === "text" ? piece.source : piece.kind === "value" ? `[${valueWords(piece.words)}]` : ""))
    .join("")
    .trim();
}

const LEVELS = [
  ["noinput", "When nothing is heard", "The first time, the second, …; after the last one a person has the call."],
  ["nomatch", "When it is not understood", "The first time, the second, …"],
] as const;

export function questionsPage(work: Workspace, root: HTMLElement): EntriesPage {
  return new EntriesPage(work, root, {
    path: ["slots"],
    one: "question",
    lines: (entries) =>
      entries.map(([name, value]) => {
        const slot = isMapping(value) ? value : {};
        return { name, title: titleOf(name), about: plainly(textsOf(slot["prompt"])[0] ?? "") || textOf(slot["description"]) };
      }),
    form: questionForm,
  });
}

function questionForm(work: Workspace, path: Path, name: string): Node[] {
  const at = (...keys: string[]): Path => [...path, ...keys];
  const choices = work.session.value(at("choices"));
  const parts: Node[] = [
    element("h2", {}, titleOf(name)),
    wordsField(work, at("prompt"), { label: "The question", optional: true }),
    wordsField(work, at("reprompt"), { label: "Asked again, after an interruption", optional: true }),
    wordsField(work, at("help"), { label: "When the caller asks for help", optional: true }),
    ...LEVELS.map(([key, label, help]) => listField(work, at(key), { label, help, one: "text" })),
  ];
  if (isMapping(choices)) {
    parts.push(
      element(
        "fieldset",
        { class: "group" },
        element("legend", {}, "What callers may answer"),
        ...Object.keys(choices).map((value) =>
          element(
            "details",
            { class: "more", "data-key": `choice:${name}.${value}` },
            element("summary", {}, titleOf(value), element("span", { class: "muted" }, ` ${textsOf(choices[value]).length}`)),
            listField(work, at("choices", value), { label: `Phrases for ${value.replaceAll("_", " ")}`, one: "phrase", sign: phraseSign }),
          ),
        ),
      ),
    );
  }
  parts.push(
    element(
      "fieldset",
      { class: "group" },
      element("legend", {}, "How it is asked"),
      element(
        "div",
        { class: "grid" },
        inputField(work, at("timeout"), { label: "Seconds of silence", type: "number", optional: true, placeholder: "as usual" }),
        selectField(work, at("confirm"), { label: "Read back", optional: true, choices: [["", "as usual"], ["never", "never"], ["low_confidence", "when heard badly"], ["always", "always"]] }),
        selectField(work, at("bargein"), { label: "May be interrupted", optional: true, choices: [["", "as usual"], ["any", "by voice and keys"], ["keys", "by keys"], ["off", "not at all"]] }),
      ),
      textField(work, at("description"), { label: "What it wants to know, for staff", optional: true }),
    ),
  );
  const shown = ["prompt", "reprompt", "help", "noinput", "nomatch", "timeout", "confirm", "bargein", "description", ...(isMapping(choices) ? ["choices"] : [])];
  const more = moreKeys(work, path, schemaAt(path, (one) => work.session.value(one)), shown);
  if (more) parts.push(more);
  parts.push(usesOf(work, "slot", name));
  return parts;
}
