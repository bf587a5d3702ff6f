// Long work of the server: begun, then asked after until it is done.

import { ask, quoted } from "./api";

const EVERY_MS = 300;

export interface Job<T> {
  job: string;
  kind: string;
  state: "running" | "done" | "failed";
  stage: string;
  done: number;
  of: number;
  result: T | null;
  problem: string;
}

/** Begins a job and resolves with its result. Rejects with its problem in words. */
export async function runJob<T>(path: string, body: unknown, progress: (job: Job<T>) => void, signal?: AbortSignal): Promise<T> {
  const { job: id } = await ask<{ job: string }>("POST", path, body);
  for (;;) {
    const job = await ask<Job<T>>("GET", `/jobs/${quoted(id)}`, undefined, signal);
    progress(job);
    if (job.state === "failed") throw new Error(job.problem || "It has failed.");
    if (job.state === "done") {
      if (job.result === null) throw new Error(job.problem || "It has ended without a result.");
      return job.result;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
