// Conditions as rules: [value] [comparison] [value]. What does not read back as it was written stays a formula.

export type Comparison = "==" | "!=" | ">" | ">=" | "<" | "<=" | "in" | "not in" | "holds" | "fails" | "known" | "unknown";

export interface Rule {
  left: string;
  comparison: Comparison;
  /** As it is written: a quoted text, a number, a name, a list. */
  right: string;
}

export interface Rules {
  joined: "and" | "or";
  rules: Rule[];
}

export const COMPARISONS: readonly (readonly [Comparison, string])[] = [
  ["holds", "is so"],
  ["fails", "is not so"],
  ["==", "is"],
  ["!=", "is not"],
  [">", "is more than"],
  [">=", "is at least"],
  ["<", "is less than"],
  ["<=", "is at most"],
  ["in", "is one of"],
  ["not in", "is none of"],
  ["known", "is known"],
  ["unknown", "is not known"],
];

const VALUE = String.raw`[A-Za-z_][\w.]*(?:\[\d+\])?(?: \| [a-z]+)?`;
const RIGHT = String.raw`'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|\[[^\[\]]*\]|\([^()]*\)|${VALUE}`;
const COMPARED = new RegExp(`^(${VALUE}) (==|!=|>=|<=|>|<|in|not in) (${RIGHT})$`);
const KNOWN = new RegExp(`^(${VALUE}) is (not none|none|defined|not defined)$`);
const ALONE = new RegExp(`^(not )?(${VALUE})$`);

/** The rules of an expression; null where it is more than rules can say. */
export function rulesOf(expression: string): Rules | null {
  for (const joined of ["and", "or"] as const) {
    const rules = split(expression, joined).map(ruleOf);
    if (rules.every((rule): rule is Rule => rule !== null)) {
      const found = { joined, rules };
      if (written(found) === expression) return found;
    }
  }
  return null;
}

/** Cuts at a word outside of quotes and brackets. */
function split(expression: string, word: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = "";
  let from = 0;
  for (let at = 0; at < expression.length; at++) {
    const sign = expression[at] ?? "";
    if (quote) quote = sign === quote ? "" : quote;
    else if (sign === "'" || sign === '"') quote = sign;
    else if ("([".includes(sign)) depth += 1;
    else if (")]".includes(sign)) depth -= 1;
    else if (depth === 0 && expression.startsWith(` ${word} `, at)) {
      parts.push(expression.slice(from, at));
      from = at + word.length + 2;
      at = from - 1;
    }
  }
  return [...parts, expression.slice(from)];
}

function ruleOf(text: string): Rule | null {
  const compared = COMPARED.exec(text);
  if (compared) return { left: compared[1] ?? "", comparison: compared[2] as Comparison, right: compared[3] ?? "" };
  const known = KNOWN.exec(text);
  if (known?.[2] === "not none" || known?.[2] === "none") {
    return { left: known[1] ?? "", comparison: known[2] === "none" ? "unknown" : "known", right: "" };
  }
  const alone = ALONE.exec(text);
  return alone ? { left: alone[2] ?? "", comparison: alone[1] ? "fails" : "holds", right: "" } : null;
}

export function written({ joined, rules }: Rules): string {
  return rules.map(writtenRule).join(` ${joined} `);
}

function writtenRule({ left, comparison, right }: Rule): string {
  switch (comparison) {
    case "holds":
      return left;
    case "fails":
      return `not ${left}`;
    case "known":
      return `${left} is not none`;
    case "unknown":
      return `${left} is none`;
    default:
      return `${left} ${comparison} ${right}`;
  }
}

export function needsRight(comparison: Comparison): boolean {
  return !["holds", "fails", "known", "unknown"].includes(comparison);
}

/** A value as it is typed by people: a text without its quotes. */
export function plainRight(right: string): string {
  const quoted = /^'([^']*)'$/.exec(right) ?? /^"([^"]*)"$/.exec(right);
  return quoted ? (quoted[1] ?? "") : right;
}

const ORDERED: ReadonlySet<Comparison> = new Set([">", ">=", "<", "<="]);

/** Whether a rule compares with a text: numbers and names that are typed in its place then stay texts. */
export function comparesText({ comparison, right }: Rule): boolean {
  return /^(['"]).+\1$/.test(right) && !ORDERED.has(comparison);
}

/** What people typed as it is written: numbers, lists and names of known values as they are, all else as a text. */
export function rightOf(typed: string, asText: boolean, names: ReadonlySet<string>): string {
  if (/^[[(].*[\])]$/.test(typed)) return typed;
  if (!asText && (/^-?\d+(\.\d+)?$/.test(typed) || names.has(typed))) return typed;
  return typed.includes("'") ? `"${typed}"` : `'${typed}'`;
}
