// Answers: what the agent knows without asking a system.

import { element } from "../dom";
import { EntriesPage, type EntryLine, titleOf } from "./entries";
import { textField } from "./fields";
import { type Path, type Value, isMapping, textOf } from "./model";
import { examplesField, phrasesField } from "./sentences";
import { spokenPreview } from "./preview";
import type { Workspace } from "./workspace";

export function answersPage(work: Workspace, root: HTMLElement): EntriesPage {
  return new EntriesPage(work, root, {
    path: ["knowledge", "answers"],
    one: "answer",
    kind: "answer",
    question: "What is it about? (“about gift wrapping”)",
    lines: (entries) => entries.map(([name, value]) => line(name, value)),
    fresh: (title) => ({ about: title.startsWith("about ") ? title : `about ${title}`, ask: [], examples: [], says: "" }),
    form,
  });
}

/** "about our opening hours" is "Our opening hours". */
export function withoutAbout(text: string): string {
  const rest = text.replace(/^about\s+/, "");
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

function line(name: string, value: Value): EntryLine {
  const entry = isMapping(value) ? value : {};
  const about = textOf(entry["about"]);
  return { name, title: about ? withoutAbout(about) : titleOf(name), about: textOf(entry["says"]) };
}

function form(work: Workspace, path: Path, name: string): Node[] {
  const about = textOf(work.session.value([...path, "about"]));
  return [
    element("h2", {}, about ? withoutAbout(about) : titleOf(name)),
    textField(work, [...path, "says"], {
      label: "What the agent says",
      lines: 3,
      help: "Write as people talk: short sentences, numbers and times in words.",
      below: (text) => spokenPreview(work, text),
    }),
    textField(work, [...path, "about"], {
      label: "What it is about",
      optional: true,
      help: "Read to the caller when the agent is not sure: “It’s about our opening hours. Is that right?”",
    }),
    examplesField(work, [...path, "examples"]),
    phrasesField(work, [...path, "ask"], "Phrases callers use for it"),
  ];
}

