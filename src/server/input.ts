import { AppError } from "../platform/errors.js";

/** Levels of nesting that no request of ours comes near. */
const DEPTH_LIMIT = 32;
/** Half of a surrogate pair: text that has no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Keys that are known to be sound at most. */
const REMEMBERED_KEYS = 1_000;
/** Lists and objects between which others have their turn. */
const SLICE = 1_000;

interface Place {
  readonly value: object;
  readonly path: string;
  readonly depth: number;
}

/**
 * Refuses what JSON can carry and the database cannot hold (NUL and lone surrogates in text), and nesting so deep
 * that whatever walks it might run out of stack. In slices, for bodies of many rows.
 * @param rowByRow whether rows are read one by one, and refused so: neither they nor text that has them are looked at.
 * @throws {AppError} `invalid_request` naming the place.
 */
export function* checkingInput(
  part: "params" | "query" | "body",
  input: unknown,
  rowByRow = false,
): Generator<undefined, void, undefined> {
  if (typeof input === "string" && !rowByRow) checkText(input, part);
  if (typeof input !== "object" || input === null) return;
  let walked = 0;
  const open: Place[] = [{ value: input, path: part, depth: 0 }];
  // Rows of one kind have the same keys.
  const sound = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path, depth } = next;
    if (++walked % SLICE === 0) yield;
    if (depth >= DEPTH_LIMIT) {
      throw new AppError("invalid_request", `${part}: is nested deeper than ${DEPTH_LIMIT} levels`);
    }
    const isList = Array.isArray(value);
    // The body is the list, or has it.
    if (rowByRow && isList && depth <= 1) continue;
    for (const [key, child] of Object.entries(value)) {
      if (!isList && !sound.has(key)) {
        checkText(key, path);
        if (sound.size < REMEMBERED_KEYS) sound.add(key);
      }
      const isText = typeof child === "string";
      if (!isText && (typeof child !== "object" || child === null)) continue;
      if (isText && isSound(child)) continue;
      const place = depth < 4 ? joined(path, key) : path;
      if (isText) checkText(child, place);
      else open.push({ value: child as object, path: place, depth: depth + 1 });
    }
  }
}

function joined(path: string, key: string): string {
  const name = key.slice(0, 60);
  return path.includes(" ") ? `${path}.${name}` : `${path} ${name}`;
}

const isSound = (text: string) => !text.includes("\0") && !LONE_SURROGATE.test(text);

function checkText(text: string, path: string): void {
  if (text.includes("\0")) throw new AppError("invalid_request", `${path}: must have no NUL character`);
  if (LONE_SURROGATE.test(text))
    throw new AppError("invalid_request", `${path}: must be well-formed Unicode`);
}
