// The JSON schema of packs: which keys a place may have, what the schema says of them, and values to begin with.

import schema from "../../../agent/flows/flow-pack.schema.json";
import { type Mapping, type Path, type Value, isMapping } from "./model";

export interface KeySchema {
  description?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: unknown[];
  anyOf?: KeySchema[];
  oneOf?: KeySchema[];
  $ref?: string;
  items?: KeySchema;
  minItems?: number;
  properties?: Record<string, KeySchema>;
  required?: string[];
  additionalProperties?: KeySchema | boolean;
  patternProperties?: Record<string, KeySchema>;
  propertyNames?: { enum?: string[] };
}

const ROOT = schema as unknown as KeySchema & { definitions: Record<string, KeySchema> };

/** Every section that a pack may have. */
export const SECTIONS: Record<string, KeySchema> = ROOT.properties ?? {};

/** What a schema allows, one kind of value each; nothing at all is none of them. */
export function alternatives(told: KeySchema): KeySchema[] {
  return (told.anyOf ?? told.oneOf ?? [told]).filter((one) => one.type !== "null").map(resolved);
}

function resolved(told: KeySchema): KeySchema {
  const name = told.$ref?.split("/").pop();
  return (name && ROOT.definitions[name]) || told;
}

/** The kind of value that stands at a place; the first one that a key may have where nothing does. */
export function kindAt(told: KeySchema, value: Value | undefined): KeySchema {
  const all = alternatives(told);
  return all.find((one) => value !== undefined && fits(one, value)) ?? all[0] ?? {};
}

function fits(told: KeySchema, value: Value): boolean {
  if (Array.isArray(value)) return told.type === "array";
  if (!isMapping(value)) return !told.properties && told.type !== "array" && told.type !== "object";
  if (!told.properties) return told.type === "object";
  const known = told.properties;
  return Object.keys(value).every((key) => key in known) && (told.required ?? []).every((key) => key in value);
}

/** The schema of whatever name a mapping has, or of the items of a list. */
export function below(told: KeySchema): KeySchema | null {
  const { additionalProperties: any, patternProperties: some, items } = told;
  return items ?? (typeof any === "object" ? any : (Object.values(some ?? {})[0] ?? null));
}

/** The schema of a place of the pack; null where the pack holds what the schema does not know. */
export function schemaAt(path: Path, valueOf: (path: Path) => Value | undefined): KeySchema | null {
  let told: KeySchema | null = ROOT;
  for (let depth = 0; depth < path.length && told; depth++) {
    const kind = kindAt(told, valueOf(path.slice(0, depth)));
    told = kind.properties?.[String(path[depth])] ?? below(kind);
  }
  return told;
}

export function isNumber(told: KeySchema): boolean {
  return told.pattern?.startsWith("^[+-]?") === true;
}

export function isFlag(told: KeySchema): boolean {
  return told.enum?.includes("yes") === true;
}

export function choicesOf(told: KeySchema): string[] {
  return (told.enum ?? []).filter((one): one is string => typeof one === "string");
}

/** A value that a key may begin with. */
export function firstValue(told: KeySchema): Value {
  const kind = alternatives(told)[0] ?? {};
  if (kind.properties) {
    const made: Mapping = {};
    for (const key of kind.required ?? []) made[key] = firstValue(kind.properties[key] ?? {});
    return made;
  }
  if (kind.type === "array") return kind.minItems ? [firstValue(kind.items ?? {})] : [];
  if (kind.type === "object") return {};
  if (isFlag(kind)) return "yes";
  if (kind.enum) return choicesOf(kind)[0] ?? "";
  if (kind.format === "date") return new Date().toISOString().slice(0, 10);
  return isNumber(kind) ? "1" : "";
}

/** Descriptions of the schema are for authors of files: one sentence of them is enough on a page. */
export function plainHelp(description: string): string {
  return description.replaceAll("`", "").split(/(?<=\.)\s/)[0] ?? "";
}
