// Requests to the console's API, and what can go wrong with them.

import { csrfToken } from "../dom";

const PREFIX = "/api/v1";

/** The server has refused something, and says why. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The console does not answer: it may later. */
export class Unreachable extends Error {}

export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(PREFIX + path, {
      method,
      headers: { "X-Orderline-Token": csrfToken(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable("The console does not answer.");
  }
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string; code?: string };
  const text = problem.detail ?? problem.title ?? `The console answered ${answer.status}.`;
  if (answer.status >= 500) throw new Unreachable(text);
  throw new Refused(answer.status, problem.code ?? "", text);
}

export function textOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function quoted(part: string): string {
  return encodeURIComponent(part);
}
