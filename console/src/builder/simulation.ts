// One simulated call on the draft: what the server tells of it, and what can be done to it.

import { Refused, ask, quoted } from "./api";
import type { Mapping } from "./model";
import type { Json } from "./result_values";

export interface TrailStep {
  flow: string;
  step: string;
  kind: string;
  way: string;
  reached: boolean;
}

export interface OutcomeChoice {
  id: string;
  words: string;
  kind: "result" | "failure" | "slow";
  /** What the service tells; null for a failure. */
  result: Json | null;
}

export interface SimulatedEffect {
  service: string;
  arguments: Mapping;
  failed: string | null;
  reason: string | null;
  choice: string;
}

export type CallerInput = { say: string } | { keys: string } | { silence: number } | { hangup: true } | { answer: string } | { result: Json };

export interface SimulationState {
  id: string;
  turn: number;
  over: boolean;
  outcome: string | null;
  said: { id: string; text: string }[];
  understood: string;
  result: string;
  decision: string;
  candidates: { meaning: string; score: number }[];
  trail: TrailStep[];
  flow: string;
  step: string;
  listening: string | null;
  slots: Record<string, unknown>;
  effects: SimulatedEffect[];
  pending: { service: string; arguments: Mapping; choices: OutcomeChoice[] } | null;
  handover: { reason: string; summary: string; queue: string } | null;
  scored_by: string;
  ms: number;
  differs?: number | null;
  turns?: SimulatedTurn[];
}

export type SimulatedTurn = { input: CallerInput | null } & Partial<SimulationState>;

export interface CallerSettings {
  caller: string;
  now: string;
  entry: string;
  queue: string;
  outcomes: Record<string, string>;
}

/** The call, with all its turns. */
export class Simulation {
  state: SimulationState | null = null;
  turns: SimulatedTurn[] = [];

  constructor(private readonly draft: string) {}

  get address(): string {
    return `/simulations/${quoted(this.state?.id ?? "")}`;
  }

  async begin(settings: CallerSettings): Promise<void> {
    await this.end();
    const body: Record<string, unknown> = { source: { draft: this.draft } };
    for (const [key, value] of Object.entries(settings)) {
      if (typeof value === "string" ? value : Object.keys(value as object).length) body[key] = value as unknown;
    }
    this.state = await ask<SimulationState>("POST", "/simulations", body);
    this.turns = [{ ...this.state, input: null }];
  }

  async turn(input: CallerInput): Promise<void> {
    this.state = await ask<SimulationState>("POST", `${this.address}/turns`, input);
    this.turns.push({ ...this.state, input });
  }

  async back(): Promise<void> {
    this.state = await ask<SimulationState>("POST", `${this.address}/back`, { turns: 1 });
    await this.#allTurns();
  }

  /** The same caller on the draft as it is now; the place of the first turn that is said otherwise, or null. */
  async again(): Promise<number | null> {
    this.state = await ask<SimulationState>("POST", `${this.address}/again`, { source: { draft: this.draft } });
    const differs = this.state.differs ?? null;
    await this.#allTurns();
    return differs;
  }

  async test(name: string, save: boolean): Promise<{ yaml: string; file: string; saved: boolean }> {
    return await ask("POST", `${this.address}/test`, { name, save });
  }

  async end(): Promise<void> {
    if (!this.state) return;
    const address = this.address;
    this.state = null;
    this.turns = [];
    await ask("DELETE", address).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error; // it has ended by itself
    });
  }

  async #allTurns(): Promise<void> {
    const whole = await ask<SimulationState>("GET", this.address);
    this.turns = whole.turns ?? [];
  }
}

/** The steps a call has come to, one after the other, over all its turns. */
export function trailOf(turns: readonly SimulatedTurn[]): TrailStep[] {
  return turns.flatMap((turn) => turn.trail ?? []);
}
