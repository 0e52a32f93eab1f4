import { sha256 } from "../../platform/sha256.js";

/** What a body says, by name: nested names are joined with dots, all in small letters. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

/** A body as it is read. */
export interface ReadBody {
  /** Null where it has none, which `problem` then says why. */
  readonly fields: Fields | null;
  readonly problem: string | null;
  /** What it says by itself to be called, by which it is never done twice. */
  readonly givenId: string | null;
}

/** Bytes of a body at most. */
export const BODY_LIMIT = 65_536;
const FIELDS_MOST = 60;
const NAME_MOST = 80;
const TEXT_MOST = 1_000;
const DEPTH_MOST = 4;
const ID_MOST = 200;
const HIDDEN = "***";

/** Names under which a body may carry the secret, and its own id. */
const SECRETS = ["secret", "passphrase"] as const;
const IDS = ["id", "alert_id"] as const;

/** The secret that a body carries; null for none. */
export function secretIn(body: string): string | null {
  const { fields } = readFields(body);
  for (const name of SECRETS) {
    const given = fields?.[name];
    if (typeof given === "string" && given !== "") return given;
  }
  return null;
}

/** The body as it may be kept and shown. */
export function withoutSecret(body: string, secret: string): string {
  const hidden = body.replaceAll(secret, HIDDEN);
  // A secret that is spelled with escapes is not found as text.
  return secretIn(hidden) === secret ? JSON.stringify(parsed(hidden)).replaceAll(secret, HIDDEN) : hidden;
}

export function digestOf(text: string): string {
  return sha256(text);
}

/** Reads JSON, or lines and lists of `name=value`; other text has no fields. */
export function readBody(body: string): ReadBody {
  const { fields: found, problem } = readFields(body);
  if (found === null) return { fields: null, problem, givenId: null };
  const fields = Object.fromEntries(
    Object.entries(found).filter(([name]) => !SECRETS.some((secret) => secret === name)),
  );
  const ids = IDS.map((name) => `${fields[name] ?? ""}`.trim());
  // A placeholder that nobody filled in would make all calls one.
  const id = ids.find((text) => text !== "" && !text.includes("{{"));
  return { fields, problem, givenId: id?.slice(0, ID_MOST) ?? null };
}

function readFields(body: string): Pick<ReadBody, "fields" | "problem"> {
  const json = parsed(body);
  if (json !== null) {
    const fields: Record<string, string | number | boolean> = Object.create(null);
    flatten(json, "", 0, fields);
    return { fields, problem: null };
  }
  const pairs = pairsOf(body);
  if (pairs !== null) return { fields: pairs, problem: null };
  return { fields: null, problem: "The text is neither an object of JSON nor a list of name=value" };
}

function parsed(body: string): object | null {
  if (!body.trimStart().startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function flatten(
  value: object,
  prefix: string,
  depth: number,
  into: Record<string, string | number | boolean>,
): void {
  for (const [key, child] of Object.entries(value) as [string, unknown][]) {
    const name = kept(`${prefix}${key}`.toLowerCase(), NAME_MOST);
    if (typeof child === "object" && child !== null) {
      if (depth < DEPTH_MOST) flatten(child, `${name}.`, depth + 1, into);
    } else if (Object.keys(into).length < FIELDS_MOST) {
      if (typeof child === "string") into[name] = kept(child, TEXT_MOST);
      else if (typeof child === "boolean" || (typeof child === "number" && Number.isFinite(child)))
        into[name] = child;
    }
  }
}

/** Pairs stand on lines, or have commas, semicolons or ampersands between them; without any of these, blanks. */
function pairsOf(body: string): Fields | null {
  const marked = /[\n,;&]/;
  const byBlanks = marked.test(body.trim()) ? null : pairsBetween(body, /\s+/);
  return byBlanks ?? pairsBetween(body, marked);
}

function pairsBetween(body: string, separator: RegExp): Fields | null {
  const pieces = body.split(separator).filter((piece) => piece.trim() !== "");
  if (pieces.length === 0 || pieces.length > FIELDS_MOST) return null;
  const fields: Record<string, string> = Object.create(null);
  for (const piece of pieces) {
    const at = piece.indexOf("=");
    const name = piece.slice(0, Math.max(0, at)).trim().toLowerCase();
    if (!/^[\w.]{1,80}$/.test(name)) return null;
    fields[name] = kept(piece.slice(at + 1).trim(), TEXT_MOST);
  }
  return fields;
}

/** Text that the database can hold: no NUL, no half of a pair. */
function kept(text: string, most: number): string {
  return text.slice(0, most).replace(/\0|\p{Surrogate}/gu, "\ufffd");
}
