// What the builder's pages run.

import { element, setText, tell } from "../dom";
import { answersPage } from "./answers";
import { textOfError } from "./api";
import { DraftBar } from "./bar";
import { chosenDraft, followDrafts, remember } from "./drafts";
import { refreshNotes } from "./fields";
import { editionsPage } from "./editions";
import { openFind } from "./find";
import { Findings } from "./findings";
import { hoursPage } from "./hours";
import type { Path } from "./model";
import { Outbox } from "./outbox";
import { packPage } from "./pack_page";
import { openTo } from "./schema_form";
import { TestPanel } from "./panel";
import { phrasesPage } from "./phrases";
import { proceduresPage } from "./procedures";
import { promotionsPage } from "./promotions";
import { promptsPage, questionsPage } from "./prompts";
import { openChanges, openPublish } from "./publish";
import { openCallTest } from "./save_test";
import { DraftSession, type SessionChange } from "./session";
import { openTeach } from "./teach";
import { type Workspace, focusField } from "./workspace";

export interface BuilderPage {
  /** Shows everything as the draft has it now. */
  draw(): void;
  /** Words of a list may follow what is typed. */
  drawList?(): void;
  /** Opens what a path leads to; false where it is on another page. */
  show?(path: Path): boolean;
}

type Maker = (work: Workspace, root: HTMLElement, dataset: DOMStringMap) => BuilderPage;

const PAGES: Record<string, Maker> = {
  answers: answersPage,
  promotions: (work, root, dataset) => promotionsPage(work, root, dataset["today"] ?? ""),
  prompts: promptsPage,
  questions: questionsPage,
  phrases: phrasesPage,
  hours: (work, root, dataset) => hoursPage(work, root, dataset["hours"] ?? ""),
  editions: editionsPage,
  procedures: proceduresPage,
  pack: packPage,
};

/** The page on which a place of the pack is edited. */
export function pageOf(path: Path): string {
  const [section, second, third] = path;
  const address = (page: string, name: unknown, more = ""): string => `/builder/${page}?name=${encodeURIComponent(String(name ?? ""))}${more}`;
  switch (section) {
    case "knowledge":
      return address(second === "promotions" ? "promotions" : "answers", third);
    case "prompts":
      return address("prompts", second);
    case "slots":
      return address("questions", second);
    case "flows":
      return third === "examples" || third === "triggers" ? address("phrases", second) : address("procedures", second);
    case "commands":
    case "not_for_us":
      return address("phrases", second, `&of=${section}`);
    case "escalate":
      return address("phrases", second, "&of=escalations");
    default:
      return address("pack", section);
  }
}

interface Shown {
  work: Workspace;
  bar: DraftBar | null;
  page: BuilderPage | null;
}

/** Opens the draft; nothing of it is shown yet. */
async function openWorkspace(root: HTMLElement, place: HTMLElement): Promise<Shown> {
  const { person = "", rights = "" } = root.dataset;
  const session = new DraftSession(await chosenDraft(person), new Outbox());
  remember(session.summary);
  await session.open();
  const may = new Set(rights.split(" "));
  const told = (): void => {
    shown.bar?.draw("findings");
    refreshNotes(place);
    shown.page?.drawList?.();
  };
  const findings = new Findings(session, told, may.has("drafts"));
  const shown: Shown = { work: { session, findings, person, may: (right) => may.has(right) }, bar: null, page: null };
  return shown;
}

async function begin(root: HTMLElement): Promise<void> {
  const place = root.querySelector<HTMLElement>("[data-place]") ?? root;
  const bar = root.querySelector<HTMLElement>("[data-bar]");
  const make = PAGES[root.dataset["builder"] ?? ""];
  if (!make || !bar) return;
  const drawn = await openWorkspace(root, place);
  const { work } = drawn;
  const { session } = work;
  const panel = new TestPanel(work, (path) => goTo(place, drawn.page, path));
  place.after(panel.root);
  session.listen(() => panel.drawStale());
  place.removeAttribute("aria-busy");
  drawn.page = make(work, place, root.dataset);
  drawn.bar = new DraftBar(work, bar, {
    goTo: (path) => goTo(place, drawn.page, path),
    test: () => panel.toggle(),
    publish: () => void openPublish(work),
    changes: () => void openChanges(work),
    find: () => openFind(work, (path) => goTo(place, drawn.page, path)),
  });
  session.listen((change) => changed(change, work, place, drawn.page, drawn.bar));
  // a field tells it while the focus is on its way to the next one
  place.addEventListener("builder:again", () => setTimeout(() => drawn.page?.draw()));
  followDrafts((draft) => session.heard(draft));
  work.findings.soon();
  showAsked(place, drawn.page);
}

function changed(change: SessionChange, work: Workspace, place: HTMLElement, page: BuilderPage | null, bar: DraftBar | null): void {
  if (change === "tree") drawWhenChosen(page);
  if (change === "own") page?.drawList?.();
  if (change === "changes") {
    refreshNotes(place);
    page?.drawList?.();
  }
  work.findings.soon();
  bar?.draw(change);
}

const TYPED_MS = 1000;
let typedAt = -TYPED_MS;
document.addEventListener("keydown", () => (typedAt = performance.now()), true);

/** A list in which somebody chooses by typing is not drawn anew between two letters: the second would begin another word. */
function drawWhenChosen(page: BuilderPage | null): void {
  const choosing = document.activeElement instanceof HTMLSelectElement && performance.now() - typedAt < TYPED_MS;
  if (choosing) setTimeout(() => drawWhenChosen(page), TYPED_MS / 4);
  else page?.draw();
}

/** Opens the field of a place of the pack, on this page or another one. */
function goTo(place: HTMLElement, page: BuilderPage | null, path: Path): void {
  openTo(path);
  if (page?.show?.(path)) {
    focusField(place, path);
    return;
  }
  const address = pageOf(path);
  location.assign(`${address}#${encodeURIComponent(JSON.stringify(path))}`);
}

/** A place that another page led here to: #["knowledge","answers",…]. */
function showAsked(place: HTMLElement, page: BuilderPage | null): void {
  if (!location.hash.startsWith("#%5B")) return;
  try {
    const path = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Path;
    openTo(path);
    page?.show?.(path);
    focusField(place, path);
  } catch {
    // an address that somebody has cut
  }
}

/** On the page of what was not understood each sentence has a button; the draft is opened by the first one. */
function teaching(root: HTMLElement): void {
  let opened: Promise<Shown> | null = null;
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-teach]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      opened ??= openWorkspace(root, root);
      opened.then(
        ({ work }) => openTeach(work, button.dataset["teach"] ?? "", button.dataset["asked"] ?? ""),
        (error: unknown) => {
          opened = null;
          tell(textOfError(error));
        },
      );
    });
  }
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-call-test]")) {
  button.hidden = false;
  button.addEventListener("click", () => void openCallTest(button.dataset["callTest"] ?? ""));
}
const teachingRoot = document.querySelector<HTMLElement>("[data-teaching]");
if (teachingRoot) teaching(teachingRoot);
const root = document.querySelector<HTMLElement>("[data-builder]");
if (root) {
  begin(root).catch((error: unknown) => {
    const place = root.querySelector<HTMLElement>("[data-place]") ?? root;
    const again = element("button", { type: "button", click: () => location.reload() }, "Try again");
    const text = element("p");
    setText(text, textOfError(error));
    place.replaceChildren(element("div", { class: "empty", role: "alert" }, element("h2", {}, "The draft cannot be opened"), text, again));
  });
}
