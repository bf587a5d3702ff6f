// Choosing a draft: those that are open, a new one, another name, throwing one away.

import { element, shopTime, tell } from "../dom";
import { ask, quoted, textOfError } from "./api";
import { openDialog } from "./dialog";
import { newDraft, openDrafts, remember } from "./drafts";
import type { DraftSummary } from "./model";
import type { Workspace } from "./workspace";

export async function chooseDraft(work: Workspace): Promise<void> {
  const opened = openDialog("Drafts", [element("p", { class: "muted" }, "Looking…")]);
  try {
    await work.session.flush();
    const drafts = await openDrafts();
    opened.body.replaceChildren(
      element("ul", { class: "finding-list" }, ...drafts.map((one) => draftRow(work, one))),
      renameForm(work),
      element("p", { class: "row form-foot" }, element("button", { type: "button", click: () => void begin(work) }, "Begin a new draft")),
    );
  } catch (error) {
    opened.body.replaceChildren(element("p", { class: "error" }, textOfError(error)));
  }
}

function draftRow(work: Workspace, draft: DraftSummary): HTMLElement {
  const here = draft.id === work.session.summary.id;
  const day = shopTime(new Date(draft.changed_at), { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const discard = element("button", { type: "button", class: "plain" }, "Throw away");
  discard.addEventListener("click", () => {
    if (discard.dataset["sure"] !== "yes") {
      discard.dataset["sure"] = "yes";
      discard.textContent = "Really throw it away?";
      return;
    }
    void ask("DELETE", `/drafts/${quoted(draft.id)}`).then(() => location.reload());
  });
  return element(
    "li",
    { class: "row" },
    element("b", {}, draft.name),
    element("span", { class: "small muted" }, `${draft.owner}, last changed ${day} by ${draft.changed_by || draft.owner}`),
    here ? element("span", { class: "tag note" }, "Open here") : element("button", { type: "button", click: () => go(draft) }, "Open"),
    discard,
  );
}

function renameForm(work: Workspace): HTMLElement {
  const { session } = work;
  const input = element("input", { type: "text", id: "draft-name", autocomplete: "off" });
  input.value = session.summary.name;
  const form = element(
    "form",
    { class: "row" },
    element("label", { for: "draft-name" }, "Name of this draft"),
    input,
    element("button", { type: "submit" }, "Rename"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    ask<DraftSummary>("PATCH", session.address, { name: input.value.trim() }).then(
      (summary) => {
        session.heard(summary);
        tell("Renamed");
      },
      (error: unknown) => tell(textOfError(error)),
    );
  });
  return form;
}

async function begin(work: Workspace): Promise<void> {
  go(await newDraft(work.person));
}

function go(draft: DraftSummary): void {
  remember(draft);
  const address = new URL(location.href);
  address.searchParams.delete("draft");
  location.assign(address);
}
