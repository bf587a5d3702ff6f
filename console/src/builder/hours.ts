// Opening hours: what callers are told about them, beside the hours at which the queues are staffed.

import type { BuilderPage } from "./app";
import { element, tell } from "../dom";
import { textField } from "./fields";
import { type Path, humanise, isMapping, textOf } from "./model";
import { spokenPreview } from "./preview";
import { examplesField } from "./sentences";
import { type Workspace, redraw } from "./workspace";

type Hours = Record<string, string[]>;

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
const NUMBERS = ["midnight", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "noon"];

export function hoursPage(work: Workspace, root: HTMLElement, told: string): BuilderPage {
  const queues = JSON.parse(told || "{}") as Record<string, Hours | null>;
  const draw = (): void => redraw(root, ...contents(work, queues));
  draw();
  return { draw, show: (path) => path[0] === "knowledge" && path[1] === "answers" && path[2] === answerName(work) };
}

/** The answer that tells the hours: the one of that name, else the first that speaks of opening. */
function answerName(work: Workspace): string {
  const answers = work.session.value(["knowledge", "answers"]);
  if (!isMapping(answers)) return "";
  if ("hours" in answers) return "hours";
  return Object.entries(answers).find(([, value]) => isMapping(value) && /open/.test(textOf(value["about"])))?.[0] ?? "";
}

function contents(work: Workspace, queues: Record<string, Hours | null>): Node[] {
  const name = answerName(work);
  const path: Path = ["knowledge", "answers", name];
  const side = element(
    "section",
    { class: "card", "aria-labelledby": "staffed" },
    element("h2", { id: "staffed" }, "When staff answer"),
    ...Object.entries(queues).map(([queue, hours]) => queueTable(work, queue, hours, name ? [...path, "says"] : null)),
    element("p", { class: "small muted" }, "A call that needs a person is handed over in these hours. They stand in the settings (", element("code", {}, "queues"), "), and an administrator changes them there."),
  );
  const form = element("section", { class: "entry-form card", "aria-label": "What callers are told" });
  if (name) {
    form.append(
      element("h2", {}, "What callers are told"),
      textField(work, [...path, "says"], { label: "What the agent says about opening hours", lines: 3, below: (text) => spokenPreview(work, text) }),
      examplesField(work, [...path, "examples"]),
    );
  } else {
    form.append(element("h2", {}, "No answer about opening hours"), element("p", {}, element("a", { href: "/builder/answers" }, "Make one among the answers.")));
  }
  return [element("div", { class: "hours" }, form, side)];
}

function queueTable(work: Workspace, queue: string, hours: Hours | null, says: Path | null): HTMLElement {
  if (!hours) return element("p", {}, element("b", {}, humanise(queue)), ": always open");
  const rows = DAYS.map((day) =>
    element("tr", {}, element("th", { scope: "row" }, humanise(day)), element("td", {}, (hours[day] ?? []).map((one) => one.replace("-", " – ")).join(", ") || "closed")),
  );
  const sentence = hoursInWords(hours);
  const use = element("button", { type: "button" }, "Say these hours");
  use.addEventListener("click", () => {
    if (!says) return;
    work.session.act({ op: "set", path: says, value: sentence, old: work.session.value(says) ?? "" });
    tell("The answer says these hours now");
  });
  const same = says !== null && textOf(work.session.value(says)) === sentence;
  return element(
    "div",
    { class: "stack" },
    element("table", {}, element("caption", {}, humanise(queue)), element("tbody", {}, ...rows)),
    same || !says || !sentence ? null : element("div", {}, element("p", { class: "small muted" }, `“${sentence}”`), use),
  );
}

/** "We're open Monday to Friday from eight to six." */
export function hoursInWords(hours: Hours): string {
  const groups: { first: number; last: number; times: string }[] = [];
  DAYS.forEach((day, place) => {
    const times = (hours[day] ?? []).map(windowWords).join(" and ");
    const last = groups[groups.length - 1];
    if (!times) return;
    if (last && last.last === place - 1 && last.times === times) last.last = place;
    else groups.push({ first: place, last: place, times });
  });
  if (!groups.length) return "";
  const parts = groups.map(({ first, last, times }) => {
    const [from, to] = [humanise(DAYS[first] ?? ""), humanise(DAYS[last] ?? "")];
    return `${first === last ? from : last === first + 1 ? `${from} and ${to}` : `${from} to ${to}`} from ${times}`;
  });
  return `We're open ${parts.length > 1 ? `${parts.slice(0, -1).join(", ")}, and ${parts[parts.length - 1]}` : parts[0]}.`;
}

function windowWords(window: string): string {
  const [from = "", to = ""] = window.split("-");
  return `${timeWords(from)} to ${timeWords(to)}`;
}

function timeWords(time: string): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  const at = (which: number): string => (which % 24 === 0 ? "midnight" : which === 12 ? "noon" : (NUMBERS[which % 12] ?? ""));
  if (minute === 0) return at(hour);
  const plain = NUMBERS[hour % 12 === 0 ? 12 : hour % 12]?.replace("noon", "twelve") ?? "";
  return minute === 30 ? `half past ${plain}` : minute === 15 ? `quarter past ${plain}` : `${plain} ${minute}`;
}
