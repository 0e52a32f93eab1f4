import { AppError } from "../platform/errors.js";

/** Levels of nesting that no request of ours comes near. */
const DEPTH_LIMIT = 32;
/** Half of a surrogate pair: text that has no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Refuses what JSON can carry and the database cannot hold (NUL and lone surrogates in text), and nesting so deep
 * that whatever walks it might run out of stack.
 * @throws {AppError} `invalid_request` naming the place.
 */
export function checkInput(part: "params" | "query" | "body", input: unknown): void {
  const open: { value: unknown; path: string; depth: number }[] = [{ value: input, path: part, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path, depth } = next;
    if (typeof value === "string") checkText(value, path);
    if (typeof value !== "object" || value === null) continue;
    if (depth >= DEPTH_LIMIT) {
      throw new AppError("invalid_request", `${part}: is nested deeper than ${DEPTH_LIMIT} levels`);
    }
    for (const [key, child] of Object.entries(value)) {
      checkText(key, path);
      open.push({ value: child, path: depth < 4 ? joined(path, key) : path, depth: depth + 1 });
    }
  }
}

function joined(path: string, key: string): string {
  const name = key.slice(0, 60);
  return path.includes(" ") ? `${path}.${name}` : `${path} ${name}`;
}

function checkText(text: string, path: string): void {
  if (text.includes("\0")) throw new AppError("invalid_request", `${path}: must have no NUL character`);
  if (LONE_SURROGATE.test(text))
    throw new AppError("invalid_request", `${path}: must be well-formed Unicode`);
}
