// The bar above every page of the builder: which draft, what has changed, whether it is kept, undo, findings, test, publish.

import { element, setText, shopTime, tell } from "../dom";
import { textOfError } from "./api";
import { openDialog } from "./dialog";
import { chooseDraft } from "./draft_menu";
import { repairButton } from "./fields";
import type { Finding } from "./findings";
import type { Path } from "./model";
import type { SessionChange } from "./session";
import { placeWords } from "./uses";
import type { Workspace } from "./workspace";

export interface BarActions {
  goTo: (path: Path) => void;
  test: () => void;
  publish: () => void;
  changes: () => void;
  find: () => void;
}

export class DraftBar {
  #name = element("button", { type: "button", class: "plain draft-name", "aria-haspopup": "dialog" });
  #changes = element("button", { type: "button", class: "plain" });
  #saved = element("span", { class: "saved", role: "status" });
  #undo = element("button", { type: "button", title: "Ctrl+Z" }, "Undo");
  #redo = element("button", { type: "button", title: "Ctrl+Shift+Z" }, "Redo");
  #findings = element("button", { type: "button", class: "findings-button" });
  #news = element("p", { class: "news small", role: "status" });
  #seenBy = "";

  constructor(
    private readonly work: Workspace,
    root: HTMLElement,
    private readonly actions: BarActions,
  ) {
    this.#name.addEventListener("click", () => void chooseDraft(work));
    this.#changes.addEventListener("click", actions.changes);
    this.#undo.addEventListener("click", () => void this.step("undo"));
    this.#redo.addEventListener("click", () => void this.step("redo"));
    this.#findings.addEventListener("click", () => this.#showFindings());
    const find = element("button", { type: "button", title: "Ctrl+K", click: actions.find }, "Find");
    const test = element("button", { type: "button", click: actions.test }, "Test");
    const publish = element("button", { type: "button", class: "first", click: actions.publish }, "Publish");
    root.replaceChildren(
      element("div", { class: "bar-state" }, this.#name, this.#changes, this.#saved),
      element(
        "div",
        { class: "bar-tools" },
        work.may("edit") ? find : null,
        this.#undo,
        this.#redo,
        work.findings.allowed ? this.#findings : null,
        work.may("test") ? test : null,
        work.may("publish") ? publish : null,
      ),
      this.#news,
    );
    root.hidden = false;
    document.addEventListener("keydown", (event) => this.#key(event));
    this.draw("tree");
  }

  draw(change: SessionChange | "findings"): void {
    const { session, findings } = this.work;
    const count = session.changes.length;
    setText(this.#name, `Draft: ${session.summary.name}`);
    this.#name.setAttribute("aria-label", `Draft: ${session.summary.name}. Choose another one`);
    setText(this.#changes, count === 1 ? "1 change" : `${count || "No"} changes`);
    this.#drawSaved();
    this.#undo.disabled = !session.summary.can_undo && !session.unsent;
    this.#redo.disabled = !session.summary.can_redo;
    const [mistakes, others] = [findings.errors.length, findings.all.length - findings.errors.length];
    this.#findings.className = `findings-button ${mistakes ? "bad" : others ? "warn" : "good"}`;
    setText(this.#findings, findings.problem ? "Not checked" : findingsText(findings.seq < 0, mistakes, others));
    this.#findings.setAttribute("aria-busy", String(findings.running));
    if (change === "tree" || change === "state") this.#tellWho();
  }

  #drawSaved(): void {
    const { session } = this.work;
    const at = session.savedAt && shopTime(session.savedAt, { hour: "2-digit", minute: "2-digit" });
    const waits = session.changes.length && session.summary.state === "open" ? ", not published yet" : "";
    const refused = session.refused.length;
    const [text, tone] = refused
      ? [`${refused === 1 ? "An edit was" : `${refused} edits were`} not taken`, "bad"]
      : session.saving === "unreachable"
        ? ["Not saved, trying again. It is kept in this browser", "warn"]
        : session.saving === "signed_out"
          ? [`Not saved: ${session.problem}`, "bad"]
          : session.saving === "saved"
            ? [`Saved${at ? ` ${at}` : ""}${waits}`, "good"]
            : ["Saving…", "quiet"];
    this.#saved.className = `saved tag ${tone}`;
    setText(this.#saved, text ?? "");
    if (refused && !this.#saved.querySelector("button")) {
      this.#saved.append(element("button", { type: "button", click: () => this.#showRefused() }, "Show"));
    }
  }

  /** Says whose draft it is, and who else has worked on it. */
  #tellWho(): void {
    const { summary } = this.work.session;
    const others = [...new Set([summary.owner, summary.changed_by])].filter((who) => who && who !== this.work.person);
    const over = summary.state !== "open" ? `This draft was ${summary.state} by ${summary.changed_by}: load the page again to begin another one.` : "";
    const text = over || (others.length
      ? summary.owner === this.work.person
        ? `${summary.changed_by} works on this draft as well.`
        : `This is the draft of ${summary.owner}: what you change goes into it.`
      : "");
    if (text === this.#seenBy) return;
    this.#seenBy = text;
    setText(this.#news, text);
  }

  async step(direction: "undo" | "redo"): Promise<void> {
    try {
      tell(await this.work.session.step(direction));
    } catch (error) {
      setText(this.#news, textOfError(error));
    }
  }

  #key(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "k") {
      event.preventDefault();
      this.actions.find();
      return;
    }
    const typing = event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), textarea");
    if (typing || document.querySelector("dialog[open]")) return;
    if (key === "z" || key === "y") {
      event.preventDefault();
      void this.step(key === "y" || event.shiftKey ? "redo" : "undo");
    }
  }

  #showFindings(): void {
    const { findings } = this.work;
    const rows = findings.all.map((one) => this.#finding(one, () => opened.close()));
    const nothing = findings.problem || (findings.seq < 0 ? "The check is under way." : "Nothing is wrong in this draft.");
    const opened = openDialog("Findings", [rows.length ? element("ul", { class: "finding-list" }, ...rows) : element("p", {}, nothing)]);
  }

  #finding(one: Finding, close: () => void): HTMLElement {
    const jump = element("button", { type: "button", class: "plain" }, one.path.length ? placeWords(one.path) : one.file);
    jump.addEventListener("click", () => {
      close();
      this.actions.goTo(one.path);
    });
    return element(
      "li",
      {},
      element("span", { class: `tag ${one.severity === "error" ? "bad" : "warn"}` }, one.severity === "error" ? "Mistake" : "Look"),
      element("p", {}, one.message),
      element("p", { class: "row small muted" }, jump, `${one.file}, line ${one.line}`, repairButton(this.work, one)),
    );
  }

  #showRefused(): void {
    const { session } = this.work;
    const rows = session.refused.map((edit) => {
      const drop = element("button", { type: "button" }, "Drop this edit");
      const row = element(
        "li",
        {},
        element("p", {}, edit.refused ?? ""),
        element("pre", { tabindex: "0" }, JSON.stringify(edit.operations, null, 2)),
        drop,
      );
      drop.addEventListener("click", () => void session.dropRefused(edit).then(() => row.remove()));
      return row;
    });
    openDialog("Edits that were not taken", [element("p", {}, "They are kept here, so that you can copy what you wrote."), element("ul", { class: "finding-list" }, ...rows)]);
  }
}

function findingsText(unknown: boolean, mistakes: number, others: number): string {
  if (unknown) return "Checking…";
  const parts = [];
  if (mistakes) parts.push(mistakes === 1 ? "1 mistake" : `${mistakes} mistakes`);
  if (others) parts.push(others === 1 ? "1 remark" : `${others} remarks`);
  return parts.join(", ") || "No findings";
}
