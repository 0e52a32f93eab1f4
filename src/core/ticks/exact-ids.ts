import type { TickBatch } from "./batch.js";
import type { ReadTicks, RefusedRow } from "./read-ndjson.js";
import { pickTicks } from "./tick.js";

/** Why a trade with such a number is refused: another number beyond 2^53 may be the same double, and its trade a duplicate. */
export const INEXACT_ID = "id_not_exact: id is not a whole number within 2^53 - 1";

/** A batch in which each row is a tick, without those whose number of the source is none that a double holds exactly. */
export function withExactIds({ symbols, ticks }: TickBatch): ReadTicks {
  const { id } = ticks;
  const kept = new Int32Array(id.length);
  const refused: RefusedRow[] = [];
  let count = 0;
  for (let i = 0; i < id.length; i++) {
    if (Number.isNaN(id[i]) || Number.isSafeInteger(id[i])) kept[count++] = i;
    else refused.push({ index: i, reason: INEXACT_ID });
  }
  const row = kept.subarray(0, count);
  return { symbols, ticks: pickTicks(ticks, row), row, refused };
}
