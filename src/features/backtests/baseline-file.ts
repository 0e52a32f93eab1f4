import { z } from "zod";
import {
  identityOf,
  type SignalSnapshot,
  snapshotProblem,
  sortSnapshots,
} from "../../core/backtest/snapshot.js";
import { ensure } from "../../core/base/assert.js";
import { SIDES } from "../../core/execution/order.js";
import { INTERVALS } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { sha256 } from "../../platform/sha256.js";

/** Bars that signals were computed from: what they are called, and the SHA-256 of their columns in hex. */
export interface BaselineData {
  readonly name: string;
  readonly sha256: string;
}

/** The signals that a strategy gave over bars that open in [startMs, endMs). */
export interface Baseline {
  readonly strategyId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly data: BaselineData;
  readonly signals: readonly SignalSnapshot[];
}

/** Of the format; files of another are refused. */
const VERSION = 2;
const sha256Text = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.iso.datetime();
/** A name, or a family and a name: `golden_cross`, `pattern:hammer`. It names a file, so it has no dots or slashes. */
export const strategyIdText = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,79}(:[a-z0-9][a-z0-9_-]{0,79})?$/);

const signalSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  symbol: z.string().min(1),
  interval: z.enum(INTERVALS),
  time: instant,
  side: z.enum(SIDES),
  entry: z.number().nullable(),
  asked: z.strictObject({
    does: z.enum(["enter", "exit", "weigh", "order", "signal"]),
    stop: z.number().nullable(),
    target: z.number().nullable(),
    share: z.number().nullable(),
    order: z.string().nullable(),
  }),
  confidence: z.number().nullable(),
  conditions: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});

const fileSchema = z.strictObject({
  version: z.literal(VERSION),
  strategy: strategyIdText,
  start: instant,
  end: instant,
  data: z.strictObject({ name: z.string().min(1), sha256: sha256Text }),
  sha256: sha256Text,
  signals: z.array(signalSchema),
});

/** First 16 hex digits of the SHA-256 of a signal's identity. */
export function signalId(snapshot: SignalSnapshot): string {
  return sha256(identityOf(snapshot)).slice(0, 16);
}

/**
 * A baseline as the text of its file: JSON of one line a signal, in one order and with a digest over all of them, so that
 * the same signals give the same bytes and a difference shows line by line.
 */
export function baselineText({ strategyId, startMs, endMs, data, signals }: Baseline): string {
  const lines = sortSnapshots(signals).map(signalLine);
  const head = {
    version: VERSION,
    strategy: strategyId,
    start: isoTime(startMs),
    end: isoTime(endMs),
    data: { name: data.name, sha256: data.sha256 },
    sha256: sha256(lines.join("\n")),
  };
  const opening = JSON.stringify(head, null, 2).slice(0, -2);
  const list = lines.length === 0 ? "[]" : `[\n    ${lines.join(",\n    ")}\n  ]`;
  return `${opening},\n  "signals": ${list}\n}\n`;
}

/**
 * Reads what `baselineText` wrote.
 * @param name of the file, for the message.
 * @throws {AppError} `invalid_request` for another format or version, and for signals that were changed, left out, added or
 * moved since they were written.
 */
export function parseBaseline(text: string, name: string): Baseline {
  const file = schemaOf(jsonOf(text, name), name);
  const { strategy: strategyId, start, end, data } = file;
  const startMs = Date.parse(start);
  const endMs = Date.parse(end);
  const signals = file.signals.map(({ id: _, time, ...signal }) => ({
    ...signal,
    strategyId,
    time: Date.parse(time),
  }));
  for (const [i, signal] of signals.entries()) {
    const problem = snapshotProblem(signal) ?? placeProblem(signal, startMs, endMs);
    if (problem !== null) throw unsound(name, problem);
    if (signalId(signal) !== file.signals[i].id) {
      throw unsound(name, `signal ${file.signals[i].id} is not what its id says`);
    }
  }
  const baseline = { strategyId, startMs, endMs, data, signals: sortSnapshots(signals) };
  if (sha256(signals.map(signalLine).join("\n")) !== file.sha256) {
    throw unsound(name, "the signals are not those that its digest was taken of");
  }
  return baseline;
}

function signalLine(snapshot: SignalSnapshot): string {
  const { symbol, interval, time, side, entry, confidence, conditions } = snapshot;
  const { does, stop, target, share, order } = snapshot.asked;
  const sorted = Object.fromEntries(Object.entries(conditions).sort(([a], [b]) => (a < b ? -1 : 1)));
  const id = signalId(snapshot);
  return JSON.stringify({
    id,
    symbol,
    interval,
    time: isoTime(time),
    side,
    entry,
    asked: { does, stop, target, share, order },
    confidence,
    conditions: sorted,
  });
}

function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid_request", `baseline ${name}: is not JSON`, { cause: error });
  }
}

function schemaOf(value: unknown, name: string): z.output<typeof fileSchema> {
  const found = fileSchema.safeParse(value);
  if (found.success) return found.data;
  const { path, message } = ensure(found.error.issues[0], "a refusal has an issue");
  throw unsound(name, `${path.join(".")} ${message}`.trim());
}

function placeProblem({ time }: SignalSnapshot, startMs: number, endMs: number): string | null {
  return time >= startMs && time < endMs ? null : `a signal at ${isoTime(time)} lies outside of its stretch`;
}

function unsound(name: string, problem: string): AppError {
  return new AppError("invalid_request", `baseline ${name}: ${problem}`);
}
