import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
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

/**
 * Teaches online models every decision that has ended since the last one they know, in the order of the outcomes, each
 * once. @returns how many were taught, and the number of the newest.
 */
export async function teachOnline(
  online: Pick<OnlineModels, "learn">,
  labels: Pick<LabelStore, "after">,
  since: number,
  signal: AbortSignal,
): Promise<{ taught: number; newest: number }> {
  let [taught, newest] = [0, since];
  for (;;) {
    signal.throwIfAborted();
    const page = await labels.after(newest, SAMPLE_SCHEMA, PAGE);
    const byKey = new Map<string, LabelledSnapshot[]>();
    for (const row of page) {
      for (const key of [keyOf(row), keyOf({ ...row, regime: null })]) {
        const list = byKey.get(key);
        if (list === undefined) byKey.set(key, [row]);
        else list.push(row);
      }
    }
    for (const [key, rows] of byKey) {
      await online.learn(
        key,
        rows.map(({ values, label, outcome }) => ({ row: Float64Array.from(values), label, outcome })),
      );
    }
    taught += page.length;
    newest = page.at(-1)?.outcome ?? newest;
    if (page.length < PAGE) return { taught, newest };
  }
}
