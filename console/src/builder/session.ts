// One draft as this tab sees it: the server's tree, the edits that are on their way on top of it, and their sending.
//
// An edit is shown at once, kept in IndexedDB, and sent; it leaves IndexedDB when the server has answered for it.

import { Refused, Unreachable, ask, quoted, textOfError } from "./api";
import {
  type Conflict,
  type DraftSummary,
  type KeyChange,
  type Mapping,
  type Operation,
  type PackFile,
  type Path,
  type PendingEdit,
  type Value,
  samePath,
  sameValue,
} from "./model";
import { tell } from "../dom";
import type { Outbox } from "./outbox";
import { merged, perform, valueAt } from "./tree";

/** What the server does with more than one place: other steps keep their ways by it, headings move along. */
function changesMore(operation: Operation): boolean {
  return ("keep_ways" in operation && operation.keep_ways === true) || operation.op === "heading" || operation.op === "new_file";
}

const QUIET_MS = 400;
const MOST_AT_ONCE = 100;
const AGAIN_MS = [1000, 2000, 4000, 8000] as const;

export type Saving = "saved" | "waiting" | "saving" | "unreachable" | "signed_out";

/** What has changed: `own` is an edit of this tab's own field, which shows it already. */
export type SessionChange = "own" | "tree" | "state" | "changes";

interface Sent {
  seq: number;
  results: { id: string; state: "applied" | "conflict" | "refused"; seq?: number; message?: string }[];
}

export class DraftSession {
  tree: Mapping = {};
  files: PackFile[] = [];
  conflicts: Conflict[] = [];
  changes: KeyChange[] = [];
  saving: Saving = "saved";
  savedAt: Date | null = null;
  problem = "";
  #base: Mapping = {};
  #seq = 0;
  #pending: PendingEdit[] = [];
  #order = Date.now();
  #timer = 0;
  #pumping: Promise<void> | null = null;
  #failures = 0;
  #listeners = new Set<(change: SessionChange) => void>();

  constructor(
    public summary: DraftSummary,
    private readonly outbox: Outbox,
  ) {}

  get refused(): PendingEdit[] {
    return this.#pending.filter((edit) => edit.refused !== undefined);
  }

  get unsent(): number {
    return this.#pending.length - this.refused.length;
  }

  get seq(): number {
    return this.#seq;
  }

  get address(): string {
    return `/drafts/${quoted(this.summary.id)}`;
  }

  listen(listener: (change: SessionChange) => void): void {
    this.#listeners.add(listener);
  }

  async open(): Promise<void> {
    this.#pending = await this.outbox.adopt(this.summary.id);
    await this.reload();
    if (this.unsent) void this.flush();
    addEventListener("online", () => void this.flush());
    void this.outbox.inherit(this.summary.id, (edits) => this.#inherited(edits)).catch(() => {});
  }

  #inherited(edits: PendingEdit[]): void {
    this.#pending = [...edits, ...this.#pending].sort((one, other) => one.order - other.order);
    this.#compose();
    this.#tell("tree");
    void this.flush();
  }

  /** The words of the heading above a step, "" for none. */
  heading(path: Path): string {
    for (const { headings } of this.files) {
      const found = headings?.find((one) => samePath(one.path, path));
      if (found) return found.words;
    }
    return "";
  }

  value(path: Path): Value | undefined {
    return valueAt(this.tree, path);
  }

  // --- editing -------------------------------------------------------------------------------------------

  /** Gives a place a value as it is typed: what has not been sent yet is changed in place. Undefined removes the key. */
  put(path: Path, value: Value | undefined, before?: string): void {
    const old = this.value(path);
    if (sameValue(old, value)) return;
    const last = this.#pending[this.#pending.length - 1];
    const [only] = last?.operations ?? [];
    const typing =
      last && !last.sent && last.operations.length === 1 && only && (only.op === "set" || only.op === "insert")
        ? samePath(only.path, path)
        : false;
    if (typing && last && only && value !== undefined && "value" in only) {
      only.value = value;
      perform(this.tree, { op: "set", path, value }); // an insert has been done to this tree already
      this.#keep(last, "own", false);
      return;
    }
    if (value === undefined) this.#add([{ op: "remove", path, old: old ?? null }], "own");
    else if (old === undefined) this.#add([{ op: "insert", path, value, ...(before ? { before } : {}) }], "own");
    else this.#add([{ op: "set", path, value, old }], "own");
  }

  /** Does operations as one step for undo, and shows the page anew. */
  act(...operations: Operation[]): void {
    this.#add(operations, "tree");
    void this.flush();
  }

  #add(operations: Operation[], change: SessionChange): void {
    const id = crypto.randomUUID();
    const order = (this.#order = Math.max(Date.now(), this.#order + 1));
    const edit = { id, draft: this.summary.id, tab: this.outbox.tab, operations, sent: false, order };
    this.#pending.push(edit);
    this.#keep(edit, change);
  }

  #keep(edit: PendingEdit, change: SessionChange, fresh = true): void {
    void this.outbox.keep(edit).catch((error: unknown) => {
      this.problem = `This browser cannot keep edits (${textOfError(error)}): they are sent as you type.`;
      this.#tell("state");
    });
    if (fresh) for (const operation of edit.operations) perform(this.tree, operation);
    if (this.saving === "saved") this.saving = "waiting";
    this.#tell(change);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.flush(), QUIET_MS);
  }

  // --- sending -------------------------------------------------------------------------------------------

  /** Sends what waits; resolves when all of it is answered for, or the console does not answer. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
    });
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    while (this.unsent) {
      const batch = this.#pending.filter((edit) => edit.refused === undefined).slice(0, MOST_AT_ONCE);
      this.#show("saving");
      for (const edit of batch) {
        edit.sent = true;
        await this.outbox.keep(edit).catch(() => {});
      }
      const operations = batch.map(({ id, operations: all }) =>
        all.length === 1 ? { id, operation: all[0] } : { id, operations: all },
      );
      try {
        const body = { seen: this.#seq, operations };
        await this.#answered(await ask<Sent>("POST", `${this.address}/operations`, body));
        this.#failures = 0;
      } catch (error) {
        if (!(await this.#failed(error, batch))) return;
      }
    }
    this.savedAt = new Date();
    this.#show("saved");
    void this.loadChanges();
  }

  /** True where it makes sense to go on with what is left. */
  async #failed(error: unknown, batch: PendingEdit[]): Promise<boolean> {
    if (error instanceof Refused && error.status !== 401 && error.status !== 403) {
      for (const edit of batch) await this.#refuse(edit, error.message);
      await this.reload();
      return true;
    }
    this.problem = textOfError(error);
    const wait = AGAIN_MS[Math.min(this.#failures++, AGAIN_MS.length - 1)] ?? 8000;
    this.#show(error instanceof Unreachable ? "unreachable" : "signed_out");
    this.#timer = window.setTimeout(() => void this.flush(), wait);
    return false;
  }

  async #refuse(edit: PendingEdit, message: string): Promise<void> {
    edit.refused = message;
    await this.outbox.keep(edit).catch(() => {});
  }

  async #answered(answer: Sent): Promise<void> {
    let stale = false;
    let conflicts = false;
    for (const result of answer.results) {
      const edit = this.#pending.find((one) => one.id === result.id);
      if (!edit) continue;
      if (result.state === "refused") {
        await this.#refuse(edit, result.message ?? "The console did not take it.");
        stale = true;
        continue;
      }
      this.#pending = this.#pending.filter((one) => one !== edit);
      await this.outbox.drop(edit.id).catch(() => {});
      if (result.state === "conflict") conflicts = stale = true;
      else if ((result.seq ?? 0) > this.#seq) {
        stale ||= result.seq !== this.#seq + 1 || edit.operations.some(changesMore) || !edit.operations.every((one) => perform(this.#base, one));
        this.#seq = result.seq ?? this.#seq;
      }
    }
    if (conflicts) await this.loadConflicts();
    if (stale || answer.seq !== this.#seq) await this.reload();
  }

  #show(saving: Saving): void {
    if (saving === "saved" || saving === "saving") this.problem = "";
    this.saving = saving;
    this.#tell("state");
  }

  /** Gives up an edit that the server would not take. */
  async dropRefused(edit: PendingEdit): Promise<void> {
    this.#pending = this.#pending.filter((one) => one !== edit);
    await this.outbox.drop(edit.id);
    this.#compose();
    this.#tell("tree");
  }

  // --- what the server has -------------------------------------------------------------------------------

  async reload(): Promise<void> {
    const pack = await ask<{ seq: number; files: PackFile[] }>("GET", `${this.address}/pack`);
    this.#seq = pack.seq;
    this.files = pack.files;
    this.#base = merged(pack.files);
    this.#compose();
    if (this.summary.conflicts && !this.conflicts.length) await this.loadConflicts();
    this.#tell("tree");
    void this.loadChanges();
  }

  #compose(): void {
    this.tree = structuredClone(this.#base);
    for (const edit of this.#pending) {
      if (edit.refused === undefined) for (const operation of edit.operations) perform(this.tree, operation);
    }
  }

  async loadConflicts(): Promise<void> {
    const found = await ask<{ conflicts: Conflict[] }>("GET", `${this.address}/conflicts`);
    this.conflicts = found.conflicts;
    this.#tell("tree");
  }

  async loadChanges(): Promise<void> {
    try {
      const [found, summary] = await Promise.all([
        ask<{ changes: KeyChange[] }>("GET", `${this.address}/changes`),
        ask<DraftSummary>("GET", this.address),
      ]);
      this.changes = found.changes;
      this.summary = { ...this.summary, ...summary };
      this.#tell("changes");
    } catch {
      // they are asked for again after the next edit
    }
  }

  async settle(conflict: Conflict, take: "mine" | "theirs"): Promise<void> {
    try {
      await ask("POST", `${this.address}/conflicts/${conflict.number}`, { take });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(error.message);
      return this.loadConflicts(); // both values as they are by now
    }
    this.conflicts = this.conflicts.filter((one) => one !== conflict);
    await this.reload();
  }

  /** Takes back the latest own edit, or does it again. Returns what to tell. */
  async step(direction: "undo" | "redo"): Promise<string> {
    await this.flush();
    if (this.unsent) return "Not now: the console does not answer.";
    const body = { id: crypto.randomUUID() };
    const answer = await ask<{ state: string; message?: string }>("POST", `${this.address}/${direction}`, body);
    await this.reload();
    if (answer.state === "nothing") return `Nothing to ${direction}`;
    if (answer.state === "conflict") return answer.message || "Somebody has changed this since: it stays as it is.";
    return direction === "undo" ? "Taken back" : "Done again";
  }

  /** A draft has changed, somewhere: what others did is fetched. */
  heard(summary: DraftSummary): void {
    if (summary.id !== this.summary.id) return;
    const conflicts = summary.conflicts !== this.summary.conflicts;
    this.summary = { ...this.summary, ...summary }; // news are for all: what this person can undo is not in them
    if (conflicts) void this.loadConflicts().catch(() => {});
    void (this.#pumping ?? Promise.resolve()).then(() => {
      if (summary.seq > this.#seq) return this.reload();
      this.#tell("state");
      return undefined;
    }).catch(() => {});
  }

  #tell(change: SessionChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
