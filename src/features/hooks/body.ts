import { sha256 } from "../../platform/sha256.js";

/** What a body says, by name: nested names are joined with dots, all in small letters. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

/** A body as it is read. */
export interface ReadBody {
  /** Null where it has none; the first of them, and long texts cut, where there is more than is read. */
  readonly fields: Fields | null;
  /** Why there are no fields, or why they are not all that the body says: no command is read of such ones. */
  readonly problem: string | null;
  /** What it says by itself to be called, by which it is never done twice: in place of a long one its SHA-256. */
  readonly givenId: string | null;
}

type Value = string | number | boolean;
/** Names in small letters with values as they came, in the order of the body. */
interface Found {
  readonly entries: (readonly [string, Value])[];
  problem: string | null;
}

/** Bytes of a body at most. */
export const BODY_LIMIT = 65_536;
const FIELDS_MOST = 60;
const NAME_MOST = 80;
const TEXT_MOST = 1_000;
const DEPTH_MOST = 4;
const ID_MOST = 200;
const HIDDEN = "***";
/** What stands for a list or an object that has nothing in it. */
const NOTHING = ["[]", "{}"];
/** What a call must keep to for an order to be read of it, as documentation says it. */
export const FIELDS_READ = `${FIELDS_MOST} fields, names of ${NAME_MOST} and texts of ${TEXT_MOST} characters, and objects ${DEPTH_MOST} deep within the body`;

/** Names under which a body may carry the secret, and its own id. */
const SECRETS = ["secret", "passphrase"] as const;
const IDS = ["id", "alert_id"] as const;

/** The secret that a body carries, wherever it stands among its fields; null for none. */
export function secretIn(body: string): string | null {
  const entries = found(body)?.entries ?? [];
  for (const secret of SECRETS) {
    const given = entries.findLast(([name]) => name === secret)?.[1];
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
  const read = found(body);
  if (read === null) {
    const problem = "The text is neither an object of JSON nor a list of name=value";
    return { fields: null, problem, givenId: null };
  }
  const entries = read.entries.filter(([name]) => !SECRETS.some((secret) => secret === name));
  const fields: Record<string, Value> = Object.create(null);
  let problem = read.problem;
  for (const [name, value] of entries) {
    const known = kept(name, NAME_MOST);
    const text = typeof value === "string" ? kept(value, TEXT_MOST) : value;
    problem ??= excessOf(name, value) ?? (known in fields && fields[known] !== text ? twice(known) : null);
    if (known in fields || Object.keys(fields).length < FIELDS_MOST) fields[known] = text;
    else problem ??= `There are more than ${FIELDS_MOST} fields`;
  }
  return { fields: { ...fields }, problem, givenId: idIn(entries) };
}

function excessOf(name: string, value: Value): string | null {
  if (name.length > NAME_MOST) return `A name is longer than ${NAME_MOST} characters`;
  if (typeof value !== "string" || value.length <= TEXT_MOST) return null;
  return `${kept(name, NAME_MOST)} is longer than ${TEXT_MOST} characters`;
}

const twice = (name: string) => `${name} is there twice, with different values`;

function idIn(entries: Found["entries"]): string | null {
  const ids = IDS.map((id) => entries.findLast(([name]) => name === id)?.[1] ?? "");
  const id = ids.filter(isOwn).map((value) => `${value}`.trim())[0];
  if (id === undefined) return null;
  return id.length > ID_MOST ? `sha256:${sha256(id)}` : kept(id, ID_MOST);
}

/** Whether a value can be the id of one call alone, and not of all that were filled in as badly or rounded alike. */
function isOwn(value: Value): boolean {
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  const text = `${value}`.trim();
  return text !== "" && !text.includes("{{") && !NOTHING.includes(text);
}

/** Null for text that has no fields. */
function found(body: string): Found | null {
  const json = parsed(body);
  if (json === null) {
    const pairs = pairsOf(body);
    return pairs === null ? null : { entries: pairs, problem: null };
  }
  const into: Found = { entries: [], problem: null };
  flatten(json, "", 0, into);
  return into;
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

function flatten(value: object, prefix: string, depth: number, into: Found): void {
  for (const [key, child] of Object.entries(value) as [string, unknown][]) {
    const name = `${prefix}${key}`.toLowerCase();
    if (typeof child === "object" && child !== null && Object.keys(child).length > 0) {
      if (depth < DEPTH_MOST) flatten(child, `${name}.`, depth + 1, into);
      else into.problem = `Objects and lists lie deeper than ${DEPTH_MOST} within the body`;
    } else if (typeof child === "string" || typeof child === "boolean") {
      into.entries.push([name, child]);
    } else if (typeof child === "number") {
      into.entries.push([name, Number.isFinite(child) ? child : `${child}`]);
    } else if (child !== null) {
      // Not to be there would be another thing than to be of no value that can be used.
      into.entries.push([name, NOTHING[Array.isArray(child) ? 0 : 1]]);
    }
  }
}

/** Pairs stand on lines, or have commas, semicolons or ampersands between them; without any of these, blanks. */
function pairsOf(body: string): Found["entries"] | null {
  const marked = /[\n,;&]/;
  const byBlanks = marked.test(body.trim()) ? null : pairsBetween(body, /\s+/);
  return byBlanks ?? pairsBetween(body, marked);
}

function pairsBetween(body: string, separator: RegExp): Found["entries"] | null {
  const pieces = body.split(separator).filter((piece) => piece.trim() !== "");
  if (pieces.length === 0) return null;
  const pairs: [string, string][] = [];
  for (const piece of pieces) {
    const at = piece.indexOf("=");
    const name = piece.slice(0, Math.max(0, at)).trim().toLowerCase();
    if (!/^[\w.]{1,80}$/.test(name)) return null;
    pairs.push([name, piece.slice(at + 1).trim()]);
  }
  return pairs;
}

/** Text that the database can hold: no NUL, no half of a pair. */
function kept(text: string, most: number): string {
  return text.slice(0, most).replace(/\0|\p{Surrogate}/gu, "\ufffd");
}
