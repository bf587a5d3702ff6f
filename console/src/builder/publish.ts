// Publishing: what will change in words and in lines, the tests, a reason; then whether the agents have it in force.

import { element, setText } from "../dom";
import { ask, textOfError } from "./api";
import { type FileDiff, type Sentence, changeList, diffView, sentenceList } from "./diffs";
import { type Opened, openDialog } from "./dialog";
import { needed } from "./fields";
import { type Job, runJob } from "./jobs";
import type { Workspace } from "./workspace";

interface Review {
  sentences: Sentence[];
  diffs: FileDiff[];
  hand_edited: string[];
  by: string[];
  seq: number;
}

interface FailedTest {
  name: string;
  file: string;
  line: number;
  problems: string[];
  transcript: string[];
}

interface TestsResult {
  calls: number;
  failed: FailedTest[];
  steps: number;
  reached: number;
  missed: string[];
}

export interface Publication {
  state: "in_force" | "refused" | "tests_failed" | "taken_back" | "unconfirmed" | "hand_edited" | "not_writable";
  edition: string;
  number: number | null;
  words: string;
  tests: TestsResult | null;
  check: { findings: { message: string; file: string; line: number; severity: string }[] } | null;
  nodes: { name: string; in_force: boolean; problem: string }[];
  seconds: number;
}

const STAGES: Record<string, string> = {
  waiting: "Waiting for its turn",
  checking: "Checking the files",
  fitting: "Learning the sentences",
  testing: "Playing the test calls",
  writing: "Writing the files",
  confirming: "Waiting until the agents have it in force",
  "taking back": "Taking it back",
};

export async function openPublish(work: Workspace): Promise<void> {
  const opened = openDialog("Publish this draft", [element("p", { class: "muted" }, "Collecting the changes…")], "wide");
  try {
    await work.session.flush();
    const review = await ask<Review>("POST", "/publications/review", { draft: work.session.summary.id });
    opened.body.replaceChildren(...reviewParts(work, review, opened));
  } catch (error) {
    opened.body.replaceChildren(problem(textOfError(error)));
  }
}

/** The changes of the draft alone, for who may not publish and for a look in between. */
export async function openChanges(work: Workspace): Promise<void> {
  const opened = openDialog("Changes of this draft", [element("p", { class: "muted" }, "Collecting the changes…")], "wide");
  try {
    await work.session.flush();
    const review = await ask<{ changes: Parameters<typeof changeList>[0]; diffs: FileDiff[] }>("GET", `${work.session.address}/changes`);
    opened.body.replaceChildren(changeList(review.changes), linesOf(review.diffs), element("p", { class: "muted small" }, heardWhen(work)));
  } catch (error) {
    opened.body.replaceChildren(problem(textOfError(error)));
  }
}

function heardWhen(work: Workspace): string {
  const publishing = work.may("publish") ? "press Publish above when it is ready." : "somebody with the right to publish does that, an administrator for instance.";
  return `Callers hear none of this until the draft is published: ${publishing}`;
}

function linesOf(diffs: FileDiff[]): HTMLElement {
  return element("details", { class: "more" }, element("summary", {}, "The lines of the files"), diffView(diffs));
}

function reviewParts(work: Workspace, review: Review, opened: Opened): Node[] {
  const reason = element("textarea", { id: "reason", rows: "2", placeholder: "Black Friday hours" });
  const go = element("button", { type: "submit", class: "first" }, "Test and publish");
  const outcome = element("div", { class: "stack", "aria-live": "polite" });
  const form = element(
    "form",
    { class: "stack" },
    element("div", { class: "field" }, element("label", { for: "reason" }, "Why is it changed? It stands in the list of editions."), reason),
    element("p", { class: "row" }, go, element("span", { class: "muted small" }, "All test calls are played first. Calls that go on keep the edition they began with.")),
  );
  const wanted = needed(reason, "Say in a few words why it is changed.");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (wanted()) void publish(work, { reason: reason.value.trim(), seq: review.seq }, form, outcome, opened);
  });
  if (!review.sentences.length && !review.diffs.length) return [element("p", {}, "This draft changes nothing: there is nothing to publish.")];
  const others = review.by.filter((who) => who !== work.person);
  return [
    others.length ? element("div", { class: "banner warn" }, element("p", {}, `Changes of ${others.join(", ")} are in this draft and are published with yours.`)) : "",
    work.session.conflicts.length ? element("div", { class: "banner bad" }, element("p", {}, "Two people have changed the same thing: settle it at the field first.")) : "",
    element("section", { "aria-labelledby": "what" }, element("h3", { id: "what" }, "What changes"), sentenceList(review.sentences)),
    linesOf(review.diffs),
    form,
    outcome,
  ].map((one) => (typeof one === "string" ? document.createTextNode(one) : one));
}

async function publish(
  work: Workspace,
  body: { reason: string; seq: number; despite_tests?: boolean; unconfirmed?: boolean },
  form: HTMLElement,
  outcome: HTMLElement,
  opened: Opened,
): Promise<void> {
  form.hidden = true;
  const [stage, bar] = [element("p", { role: "status" }, "Beginning…"), element("progress", { "aria-label": "Publication" })];
  outcome.replaceChildren(stage, bar);
  try {
    const result = await runJob<Publication>(`${work.session.address}/publish`, body, (job) => showProgress(job, stage, bar));
    showOutcome(work, result, body, form, outcome, opened);
  } catch (error) {
    form.hidden = false;
    outcome.replaceChildren(problem(textOfError(error)));
  }
}

export function showProgress(job: Job<unknown>, stage: HTMLElement, bar: HTMLProgressElement): void {
  const counted = job.of ? `, ${job.done} of ${job.of}` : "";
  setText(stage, `${STAGES[job.stage] ?? job.stage}${counted}…`);
  if (job.of) {
    bar.max = job.of;
    bar.value = job.done;
  } else bar.removeAttribute("value");
}

function showOutcome(
  work: Workspace,
  result: Publication,
  body: { reason: string; seq: number; despite_tests?: boolean; unconfirmed?: boolean },
  form: HTMLElement,
  outcome: HTMLElement,
  opened: Opened,
): void {
  const good = result.state === "in_force";
  const again = (text: string, more: object): HTMLElement =>
    element("button", { type: "button", class: "danger", click: () => void publish(work, { ...body, ...more }, form, outcome, opened) }, text);
  const back = element("button", { type: "button" }, good ? "Close" : "Back to the draft");
  back.addEventListener("click", opened.close);
  if (good) opened.root.addEventListener("close", () => location.reload()); // the next edit begins a new draft
  const actions = element("p", { class: "row" }, back);
  if (result.state === "tests_failed") actions.append(again("Publish all the same", { despite_tests: true }));
  if (result.state === "unconfirmed") actions.append(again("Publish without an agent", { unconfirmed: true }));
  if (good) actions.append(element("a", { class: "button", href: "/builder/editions" }, "All editions"));
  outcome.replaceChildren(
    element("div", { class: `banner ${good ? "good" : "bad"}`, role: "alert" }, outcomeWords(result)),
    ...[checkPart(result), testsPart(result.tests), nodesPart(result)].filter((one): one is HTMLElement => one !== null),
    actions,
  );
  back.focus();
}

/** What came of a publication, its first words strong. */
export function outcomeWords({ state, words }: Publication): HTMLElement {
  const begin = state === "in_force" ? "In force" : "Not in force";
  return words.startsWith(begin)
    ? element("p", {}, element("b", {}, begin), words.slice(begin.length))
    : element("p", {}, element("b", {}, `${begin}. `), words);
}

function checkPart({ check }: Publication): HTMLElement | null {
  const mistakes = (check?.findings ?? []).filter((one) => one.severity === "error");
  if (!mistakes.length) return null;
  return element("ul", { class: "finding-list" }, ...mistakes.map((one) => element("li", {}, element("span", { class: "tag bad" }, "Mistake"), ` ${one.message} (${one.file}, line ${one.line})`)));
}

function nodesPart({ nodes }: Publication): HTMLElement | null {
  if (nodes.length < 2 && nodes.every((one) => one.in_force)) return null;
  return element("ul", {}, ...nodes.map((one) => element("li", {}, element("b", {}, one.name), one.in_force ? ": in force" : `: ${one.problem || "not in force"}`)));
}

export function testsPart(tests: TestsResult | null): HTMLElement | null {
  if (!tests) return null;
  const failed = tests.failed.map((one) =>
    element(
      "details",
      { class: "more" },
      element("summary", {}, one.name, element("span", { class: "muted small" }, ` ${one.file}, line ${one.line}`)),
      element("ul", {}, ...one.problems.map((text) => element("li", {}, text))),
      element("pre", { tabindex: "0", "aria-label": `Words of ${one.name}` }, one.transcript.join("\n")),
    ),
  );
  const missed = tests.missed.length
    ? element("details", { class: "more" }, element("summary", {}, `${tests.missed.length === 1 ? "1 step" : `${tests.missed.length} steps`} that no test call comes to`), element("p", { class: "small" }, tests.missed.join(", ")))
    : null;
  const all = tests.calls === 1 ? "The test call went as written. It comes" : `All ${tests.calls} test calls went as written. They come`;
  const head = !tests.calls
    ? "There is no test call yet."
    : failed.length
      ? `${failed.length} of ${tests.calls} test calls ${failed.length === 1 ? "goes" : "go"} another way now:`
      : `${all} to ${tests.reached} of ${tests.steps} steps.`;
  return element("section", { "aria-label": "Test calls" }, element("p", {}, head), ...failed, missed);
}

function problem(text: string): HTMLElement {
  return element("div", { class: "banner bad", role: "alert" }, element("p", {}, text));
}
