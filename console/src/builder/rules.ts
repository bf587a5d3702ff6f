// A condition in the inspector: its rules as rows, or its formula.

import { element } from "../dom";
import { COMPARISONS, type Comparison, type Rule, type Rules, comparesText, needsRight, plainRight, rightOf, rulesOf, written } from "./conditions";
import { bound, freshId, notes } from "./fields";
import { type Path, isMapping, keyOf, textOf } from "./model";
import { type Workspace, focusKey, redraw } from "./workspace";

export function conditionField(work: Workspace, path: Path): HTMLElement {
  const rules = rulesOf(textOf(work.session.value(path)));
  if (!rules) return formulaField(work, path);
  const list = element("div", { class: "rules stack", "data-key": keyOf(path), tabindex: "-1" });
  const field = element("fieldset", { class: "field" }, element("legend", { class: "label" }, "When"), list);
  const put = (now: Rules, again = false): void => {
    work.session.put(path, written(now));
    if (again) draw();
  };
  const draw = (): void => redraw(list, ...rows(work, path, rules, put));
  draw();
  const formula = element("details", { class: "more", "data-key": `${keyOf(path)}=` }, element("summary", {}, "As a formula"), formulaField(work, path));
  field.append(formula);
  notes(work, path, list, field);
  return field;
}

function formulaField(work: Workspace, path: Path): HTMLElement {
  const input = element("textarea", { rows: "1", spellcheck: "false", class: "mono" });
  input.value = textOf(work.session.value(path));
  input.addEventListener("change", () => input.dispatchEvent(new Event("builder:again", { bubbles: true })));
  const fixed = !work.may("formulas");
  return bound(work, path, input, { label: "Formula", fixed, ...(fixed ? { help: "Formulas are changed by who has the right for it." } : {}) });
}

function rows(work: Workspace, path: Path, rules: Rules, put: (now: Rules, again?: boolean) => void): Node[] {
  const names = valueNames(work);
  const list = element("datalist", { id: freshId() }, ...[...names].map((name) => element("option", { value: name })));
  const all: Node[] = rules.rules.map((rule, place) => ruleRow(path, rules, rule, place, list.id, names, put));
  const add = element("button", { type: "button" }, "Add a rule");
  add.addEventListener("click", () => {
    rules.rules.push({ left: rules.rules[0]?.left ?? "verified", comparison: "==", right: "''" });
    put(rules, true);
    focusKey(`${keyOf(path)}:${rules.rules.length - 1}l`);
  });
  const foot = element("div", { class: "row" }, add);
  if (rules.rules.length > 1) {
    const joined = element("select", { "aria-label": "How many of the rules must hold", "data-key": `${keyOf(path)}&` }, element("option", { value: "and" }, "All of them must hold"), element("option", { value: "or" }, "One of them is enough"));
    joined.value = rules.joined;
    joined.addEventListener("change", () => {
      rules.joined = joined.value === "or" ? "or" : "and";
      put(rules);
    });
    foot.append(joined);
  }
  return [list, ...all, foot];
}

function ruleRow(
  path: Path,
  rules: Rules,
  rule: Rule,
  place: number,
  listId: string,
  names: ReadonlySet<string>,
  put: (now: Rules, again?: boolean) => void,
): HTMLElement {
  const key = `${keyOf(path)}:${place}`;
  const left = element("input", { type: "text", list: listId, "aria-label": `Rule ${place + 1}: value`, "data-key": `${key}l`, autocomplete: "off", spellcheck: "false" });
  left.value = rule.left;
  left.addEventListener("input", () => {
    rule.left = left.value.trim() || rule.left;
    put(rules);
  });
  const right = element("input", { type: "text", list: listId, "aria-label": `Rule ${place + 1}: compared with`, "data-key": `${key}r`, autocomplete: "off", spellcheck: "false" });
  let asText = comparesText(rule); // as it was when the row was shown: half a name is a text, the whole name is not
  right.addEventListener("input", () => {
    rule.right = rightOf(right.value, asText, names);
    put(rules);
  });
  const compare = element("select", { "aria-label": `Rule ${place + 1}: comparison`, "data-key": `${key}c` }, ...COMPARISONS.map(([value, text]) => element("option", { value }, text)));
  const compared = (): void => {
    right.hidden = !needsRight(rule.comparison);
    right.value = plainRight(rule.right);
  };
  compare.value = rule.comparison;
  compare.addEventListener("change", () => {
    rule.comparison = compare.value as Comparison;
    asText &&= comparesText(rule);
    if (needsRight(rule.comparison)) rule.right = rightOf(plainRight(rule.right), asText, names);
    compared();
    put(rules);
  });
  compared();
  const row = element("div", { class: "row rule" }, left, compare, right);
  if (rules.rules.length > 1) {
    const out = element("button", { type: "button", class: "plain quiet", "aria-label": `Take out rule ${place + 1}` }, "×");
    out.addEventListener("click", () => {
      rules.rules.splice(place, 1);
      put(rules, true);
      focusKey(`${keyOf(path)}:${Math.max(0, place - 1)}l`);
    });
    row.append(out);
  }
  return row;
}

/** What conditions may speak of: slots, variables, and whatever other conditions of the pack speak of. */
export function valueNames(work: Workspace): Set<string> {
  const names = new Set<string>();
  for (const section of ["slots", "variables"]) {
    const there = work.session.value([section]);
    if (isMapping(there)) for (const name of Object.keys(there)) names.add(name);
  }
  const flows = work.session.value(["flows"]);
  for (const flow of isMapping(flows) ? Object.values(flows) : []) {
    const steps = isMapping(flow) && Array.isArray(flow["steps"]) ? flow["steps"] : [];
    for (const step of steps) {
      for (const rule of (isMapping(step) && rulesOf(textOf(step["if"]))?.rules) || []) if (rule.left) names.add(rule.left);
    }
  }
  return names;
}
