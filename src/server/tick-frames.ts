import type { RawData } from "ws";
import { z } from "zod";
import type { Spellings } from "../core/ticks/batch.js";
import { withExactIds } from "../core/ticks/exact-ids.js";
import { decodeFrame } from "../core/ticks/frame.js";
import { readTickRows, readTickText } from "../core/ticks/read-ndjson.js";
import type { SentTicks } from "../features/pipeline/pipeline.js";
import { AppError } from "../platform/errors.js";

/** Ticks of a frame, and the key under which they were sent. */
export interface ReadFrame {
  readonly sent: SentTicks;
  readonly key: string | null;
}

/** @throws {AppError} `invalid_request` for a frame that cannot be read. */
export function readFrame(raw: RawData, isBinary: boolean, spellings: Spellings): ReadFrame {
  return isBinary ? binaryOf(bytesOf(raw), spellings) : textOf(String(raw), spellings);
}

function bytesOf(raw: RawData): Uint8Array {
  if (Array.isArray(raw)) return Buffer.concat(raw);
  return raw instanceof ArrayBuffer ? new Uint8Array(raw) : raw;
}

function binaryOf(bytes: Uint8Array, spellings: Spellings): ReadFrame {
  const decoded = decodeFrame(bytes, spellings);
  if ("problem" in decoded) throw new AppError("invalid_request", `frame: ${decoded.problem}`);
  return { sent: withExactIds(decoded.batch), key: null };
}

/** Begins as what has a key does, and as no row. */
const KEYED = /^\s*\{\s*"(key|ticks)"/;
const keyedSchema = z.strictObject({
  key: z
    .string()
    .regex(/^[!-~]{1,255}$/)
    .optional(),
  ticks: z.array(z.unknown()).max(65_536),
});

function textOf(text: string, spellings: Spellings): ReadFrame {
  const whole = text.trimStart().startsWith("{") ? jsonOf(text) : undefined;
  if (whole === undefined && KEYED.test(text)) throw new AppError("invalid_request", "frame: is no JSON");
  // One row is an object as well, but has no ticks.
  if (typeof whole === "object" && whole !== null && ("ticks" in whole || "key" in whole)) {
    const { success, data } = keyedSchema.safeParse(whole);
    if (!success) throw new AppError("invalid_request", "frame: not {key, ticks}");
    return { sent: readTickRows(data.ticks, spellings), key: data.key ?? null };
  }
  const read = readTickText(text, spellings);
  if ("problem" in read) throw new AppError("invalid_request", `frame: ${read.problem}`);
  return { sent: read, key: null };
}

/** What a text says; undefined where it is no JSON, as lines of it are not. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
