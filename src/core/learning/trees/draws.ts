import { createRng, hash32, type Rng } from "../../base/rng.js";
import type { TreeSettings } from "./settings.js";

/** Rows and columns of each tree. */
export interface Draws {
  /** Whether every tree has all of them. */
  readonly all: boolean;
  readonly rowCount: number;
  /** All ascending, in columns that the next draw writes over. */
  draw(round: number): {
    readonly rows: Int32Array;
    readonly others: Int32Array;
    readonly columns: Int32Array;
  };
}

const ROWS = hash32("rows of a tree");
const COLUMNS = hash32("columns of a tree");

/**
 * Draws a share of rows and of columns for each tree, without putting back; a round has the same ones whichever came
 * before it. @param rows ascending. @param width how many columns there are.
 */
export function createDraws(rows: Int32Array, width: number, settings: TreeSettings, seed: number): Draws {
  const { rowShare, columnShare } = settings;
  const rowCount = Math.max(1, Math.round(rowShare * rows.length));
  const columnCount = Math.max(1, Math.round(columnShare * width));
  const every = Int32Array.from({ length: width }, (_, column) => column);
  const [mixed, columns] = [new Int32Array(rows.length), new Int32Array(width)];
  return {
    all: rowCount === rows.length && columnCount === width,
    rowCount,
    draw(round) {
      drawInto(mixed, rows, rowCount, createRng(seed, ROWS, round));
      drawInto(columns, every, columnCount, createRng(seed, COLUMNS, round));
      return {
        rows: mixed.subarray(0, rowCount),
        others: mixed.subarray(rowCount),
        columns: columns.subarray(0, columnCount),
      };
    },
  };
}

/** `count` of the values, and after them the others, both in their order (C. Fan et al. 1962, selection sampling). */
function drawInto(target: Int32Array, values: Int32Array, count: number, rng: Rng): void {
  let taken = 0;
  let other = count;
  for (let i = 0; i < values.length; i++) {
    const wanted = count - taken;
    const isTaken = wanted === values.length - i || (wanted > 0 && rng.below(values.length - i) < wanted);
    if (isTaken) target[taken++] = values[i];
    else target[other++] = values[i];
  }
}
