// Published editions: what each changed, compared with what is in force, and any of them back in one click.

import type { BuilderPage } from "./app";
import { element, shopTime, tell } from "../dom";
import { ask, textOfError } from "./api";
import { type FileDiff, type Sentence, diffView, sentenceList } from "./diffs";
import { openDialog } from "./dialog";
import { runJob } from "./jobs";
import { freshId, needed } from "./fields";
import { type Publication, outcomeWords, showProgress, testsPart } from "./publish";
import type { Workspace } from "./workspace";

interface Edition {
  number: number;
  edition: string;
  at: string;
  who: string;
  reason: string;
  kind: "published" | "restored" | "found";
  state: "in_force" | "taken_back" | "earlier";
  restores: number | null;
}

export function editionsPage(work: Workspace, root: HTMLElement): BuilderPage {
  const load = async (): Promise<void> => {
    try {
      const { editions } = await ask<{ editions: Edition[] }>("GET", "/editions");
      root.replaceChildren(editions.length ? table(work, editions, () => void load()) : element("div", { class: "empty" }, element("h2", {}, "No edition yet"), element("p", {}, "The first publication makes one.")));
    } catch (error) {
      root.replaceChildren(element("div", { class: "banner bad", role: "alert" }, element("p", {}, textOfError(error))));
    }
  };
  void load();
  return { draw: () => {} };
}

const STATES = { in_force: ["In force", "good"], taken_back: ["Taken back", "bad"], earlier: ["Earlier", "quiet"] } as const;

function table(work: Workspace, editions: Edition[], again: () => void): HTMLElement {
  const heads = ["No.", "When", "Who", "Why", "State", ""].map((text) => element("th", { scope: "col" }, text || element("span", { class: "spoken" }, "What can be done")));
  return element(
    "div",
    { class: "table-card" },
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Editions" },
      element(
        "table",
        {},
        element("caption", { class: "spoken" }, "Editions, the newest first"),
        element("thead", {}, element("tr", {}, ...heads)),
        element("tbody", {}, ...[...editions].sort((one, other) => other.number - one.number).map((one) => row(work, one, editions, again))),
      ),
    ),
  );
}

function row(work: Workspace, one: Edition, editions: readonly Edition[], again: () => void): HTMLElement {
  const [state, tone] = STATES[one.state] ?? ["Earlier", "quiet"];
  const at = shopTime(new Date(one.at), { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const actions = element("div", { class: "row" });
  if (one.state !== "in_force") {
    actions.append(element("button", { type: "button", "aria-label": `Compare edition ${one.number} with another one`, click: () => compare(one, editions) }, "Compare"));
    if (work.may("publish")) {
      actions.append(element("button", { type: "button", "aria-label": `Restore edition ${one.number}`, click: () => restore(one, again) }, "Restore"));
    }
  }
  const why = one.kind === "found" ? "Found in the directory" : one.reason || (one.restores ? `Edition ${one.restores} again` : "");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, String(one.number)),
    element("td", { class: "nowrap" }, at),
    element("td", {}, one.who || "–"),
    element("td", {}, why, one.restores ? element("span", { class: "muted small" }, ` (restores ${one.restores})`) : null),
    element("td", {}, element("span", { class: `tag ${tone}` }, state)),
    element("td", {}, actions),
  );
}

/** What changed from an edition to another one; to what is in force where no other is chosen. */
function compare(one: Edition, editions: readonly Edition[]): void {
  const other = element("select", { id: freshId() }, element("option", { value: "current" }, "what is in force"));
  for (const { number, reason } of editions) {
    if (number !== one.number) other.append(element("option", { value: String(number) }, [`edition ${number}`, reason].filter(Boolean).join(": ")));
  }
  const told = element("div", { class: "stack", "aria-live": "polite" });
  const show = async (): Promise<void> => {
    const wanted = other.value;
    told.replaceChildren(element("p", { class: "muted" }, "Comparing…"));
    const parts = await compared(one.number, wanted);
    if (other.value === wanted) told.replaceChildren(...parts);
  };
  other.addEventListener("change", () => void show());
  openDialog(`What has changed since edition ${one.number}`, [element("p", { class: "row" }, element("label", { for: other.id }, "Up to"), other), told], "wide");
  void show();
}

async function compared(first: number, second: string): Promise<Node[]> {
  try {
    const told = await ask<{ sentences: Sentence[]; diffs: FileDiff[] }>("GET", `/editions/${first}/compare/${second}`);
    if (!told.diffs.length) return [element("p", {}, "They are the same.")];
    return [sentenceList(told.sentences), element("h3", {}, "The lines of the files"), diffView(told.diffs)];
  } catch (error) {
    return [element("p", { class: "error", role: "alert" }, textOfError(error))];
  }
}

function restore(one: Edition, again: () => void): void {
  const reason = element("input", { type: "text", id: "restore-reason", autocomplete: "off" });
  reason.value = `Back to edition ${one.number}`;
  const [stage, bar] = [element("p", { role: "status" }), element("progress", { "aria-label": "Restoring", hidden: true })];
  const go = element("button", { type: "submit", class: "first" }, `Restore edition ${one.number}`);
  const form = element(
    "form",
    { class: "stack" },
    element("p", {}, "It becomes a new edition with the old contents, and is in force for the next call. Open drafts stay."),
    element("div", { class: "field" }, element("label", { for: "restore-reason" }, "Why?"), reason),
    element("p", { class: "row" }, go),
    stage,
    bar,
  );
  const opened = openDialog(`Restore edition ${one.number}`, [form]);
  const wanted = needed(reason, "Say in a few words why.");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!wanted()) return;
    go.disabled = true;
    bar.hidden = false;
    runJob<Publication>(`/editions/${one.number}/restore`, { reason: reason.value.trim() }, (job) => showProgress(job, stage, bar)).then(
      (result) => {
        bar.hidden = true;
        const good = result.state === "in_force";
        const close = element("button", { type: "button", click: opened.close }, "Close");
        opened.body.replaceChildren(
          element("div", { class: `banner ${good ? "good" : "bad"}`, role: "alert" }, outcomeWords(result)),
          ...[good ? null : testsPart(result.tests)].filter((part): part is HTMLElement => part !== null),
          element("p", { class: "row" }, close),
        );
        close.focus();
        tell(result.words);
        again();
      },
      (error: unknown) => {
        bar.hidden = true;
        go.disabled = false;
        stage.textContent = textOfError(error);
      },
    );
  });
}
