// Keeping a call as a test of the procedures: a simulated one, or a real one that was placed.

import { element, tell } from "../dom";
import { ask, quoted, textOfError } from "./api";
import { openDialog } from "./dialog";
import { freshId, needed } from "./fields";

interface WrittenTest {
  yaml: string;
  file: string;
  saved: boolean;
  /** What is to be looked through. */
  notes?: string[];
}

type Write = (name: string, save: boolean) => Promise<WrittenTest>;

const WHAT = "It is played at every publication from then on, and stops one after which the call would go another way.";

/** Asks for a name and keeps the call. */
export function openSaveTest(title: string, write: Write, above: readonly Node[] = []): void {
  const name = element("input", { type: "text", id: freshId(), autocomplete: "off", placeholder: "costs over 50 and defective: a person decides" });
  const out = element("div", { class: "stack" });
  const go = element("button", { type: "submit", class: "first" }, "Save it");
  const form = element(
    "form",
    { class: "stack" },
    element("div", { class: "field" }, element("label", { for: name.id }, "What does this call show?"), name),
    element("p", { class: "row" }, go),
    out,
  );
  const opened = openDialog(title, [element("p", {}, WHAT), ...above, form]);
  const wanted = needed(name, "Say in a few words what it shows.");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!wanted()) return;
    go.disabled = true;
    write(name.value.trim(), true).then(
      (saved) => {
        const close = element("button", { type: "button", click: opened.close }, "Close");
        opened.body.replaceChildren(
          element("div", { class: "banner good", role: "status" }, element("p", {}, `Saved in ${saved.file}.`)),
          testText(saved.yaml),
          element("p", { class: "row" }, close),
        );
        close.focus();
        tell("Saved as a test");
      },
      (error: unknown) => {
        go.disabled = false;
        out.replaceChildren(problem(error));
      },
    );
  });
  name.focus();
}

/** Makes a test of a real call: shows what it would be, with what is to be looked through, before it is kept. */
export async function openCallTest(call: string): Promise<void> {
  const write: Write = (name, save) => ask("POST", `/calls/${quoted(call)}/test`, { name, save });
  const looking = openDialog("Make a test of this call", [element("p", { class: "muted", role: "status" }, "Playing the call on the procedures as they are now…")]);
  try {
    const { yaml, notes = [] } = await write("a call", false);
    if (!looking.root.open) return;
    looking.close();
    openSaveTest("Make a test of this call", write, [element("ul", { class: "small" }, ...notes.map((one) => element("li", {}, one))), testText(yaml)]);
  } catch (error) {
    looking.body.replaceChildren(problem(error));
  }
}

function testText(yaml: string): HTMLElement {
  return element("pre", { tabindex: "0", role: "region", "aria-label": "The test" }, yaml);
}

function problem(error: unknown): HTMLElement {
  return element("div", { class: "banner bad", role: "alert" }, element("p", {}, textOfError(error)));
}
