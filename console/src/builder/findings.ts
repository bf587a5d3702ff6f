// What the check finds wrong, by the place in the pack where it can be mended.

import { ask } from "./api";
import { type Operation, type Path, startsWith } from "./model";
import type { DraftSession } from "./session";

const QUIET_MS = 400;

export interface Finding {
  file: string;
  line: number;
  /** Where it is; empty where it belongs to no one place. */
  path: Path;
  message: string;
  severity: "error" | "warning";
  procedure: string;
  step: string;
  /** Edits that would mend it, in words. */
  repair: { words: string; operations: Operation[] } | null;
}

interface Checked {
  seq: number | null;
  edition: string;
  findings: Finding[];
}

export class Findings {
  all: Finding[] = [];
  /** The state of the draft that was checked; -1 before the first check. */
  seq = -1;
  running = false;
  problem = "";
  #timer = 0;
  #askedSeq = -1;
  #asked: AbortController | null = null;

  constructor(
    private readonly session: DraftSession,
    private readonly changed: () => void,
    /** Without the right to read procedures nothing is checked here: the publication does. */
    readonly allowed: boolean,
  ) {}

  get errors(): Finding[] {
    return this.all.filter((one) => one.severity === "error");
  }

  at(path: Path): Finding[] {
    return this.all.filter((one) => one.path.length === path.length && startsWith(one.path, path));
  }

  under(path: Path): Finding[] {
    return this.all.filter((one) => startsWith(one.path, path));
  }

  /** Checks a state of the draft that has not been checked yet, when nothing has been typed for a moment. */
  soon(): void {
    if (!this.allowed || this.session.saving !== "saved" || this.session.seq === this.#askedSeq) return;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.check(), QUIET_MS);
  }

  async check(): Promise<void> {
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    this.running = true;
    this.#askedSeq = this.session.seq;
    this.changed();
    try {
      const told = await ask<Checked>("POST", "/check", { source: { draft: this.session.summary.id } }, asked.signal);
      this.all = told.findings;
      this.seq = told.seq ?? -1;
      this.problem = "";
    } catch (error) {
      if (asked.signal.aborted) return;
      this.#askedSeq = -1;
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.running = false;
    this.changed();
  }
}
