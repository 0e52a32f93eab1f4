import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { AppError } from "../../platform/errors.js";
import type { OnlineModels } from "../models/online.js";
import type { LabelledSnapshot, LabelStore } from "./label-store.js";

/** A key of the learner that a decision teaches. */
export function keyOf({
  assetClass,
  interval,
  regime,
}: Pick<LabelledSnapshot, "assetClass" | "interval" | "regime">): string {
  return `${assetClass}:${interval}:${regime ?? "all"}`;
}

const PAGE = 500;

type Online = Pick<OnlineModels, "learn" | "status">;
type Labels = Pick<LabelStore, "after">;

/** How far online models have been taught. */
export interface Taught {
  /** Number of the newest outcome that they were taught. */
  readonly newest: number;
  /** Keys of those that could not be read since, and have not been taught all up to that. */
  readonly held: readonly string[];
}

const keysOf = (row: LabelledSnapshot) => [keyOf(row), keyOf({ ...row, regime: null })];

/**
 * Teaches online models every decision that has ended since the last one they know, in the order of the outcomes, each
 * once. One that cannot be read is held back, and taught what it missed once it can be.
 * @returns how many decisions were taught, each once, whoever says how it ended, and how far.
 */
export async function teachOnline(
  online: Online,
  labels: Labels,
  since: Taught,
  signal: AbortSignal,
): Promise<Taught & { readonly taught: number }> {
  const held = await catchUp(online, labels, since, signal);
  const taught = new Set<number>();
  let { newest } = since;
  for (;;) {
    signal.throwIfAborted();
    const page = await labels.after(newest, SAMPLE_SCHEMA, PAGE);
    const byKey = new Map<string, LabelledSnapshot[]>();
    for (const row of page) {
      for (const key of keysOf(row)) {
        const list = byKey.get(key);
        if (list === undefined) byKey.set(key, [row]);
        else list.push(row);
      }
    }
    for (const [key, rows] of byKey)
      if (!held.has(key) && !(await teachKey(online, key, rows))) held.add(key);
    for (const { snapshotId } of page) taught.add(snapshotId);
    newest = page.at(-1)?.outcome ?? newest;
    if (page.length < PAGE) return { taught: taught.size, newest, held: [...held].sort() };
  }
}

/** @returns false where its state cannot be read: it is left as it is. */
async function teachKey(online: Online, key: string, rows: readonly LabelledSnapshot[]): Promise<boolean> {
  try {
    await online.learn(
      key,
      rows.map(({ values, label, outcome }) => ({ row: Float64Array.from(values), label, outcome })),
    );
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "model_refused") return false;
    throw error;
  }
}

/** Teaches those that were held back what they missed. @returns those that still cannot be read. */
async function catchUp(
  online: Online,
  labels: Labels,
  { newest, held }: Taught,
  signal: AbortSignal,
): Promise<Set<string>> {
  const still = new Set<string>();
  if (held.length === 0) return still;
  const known = new Map((await online.status()).map(({ key, lastOutcome }) => [key, lastOutcome]));
  for (const key of held) {
    // One that was taken away begins anew, with the first.
    let last = known.get(key) ?? 0;
    while (last < newest) {
      signal.throwIfAborted();
      const page = await labels.after(last, SAMPLE_SCHEMA, PAGE);
      const own = page.filter((row) => row.outcome <= newest && keysOf(row).includes(key));
      if (own.length > 0 && !(await teachKey(online, key, own))) {
        still.add(key);
        break;
      }
      if (page.length < PAGE) break;
      last = page[page.length - 1].outcome;
    }
  }
  return still;
}
