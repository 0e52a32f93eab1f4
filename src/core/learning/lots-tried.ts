import { areaBounds, areaInterval, type ResampleTerms } from "./auc-error.js";
import type { PromotionTerms } from "./governance.js";
import type { Scored } from "./metrics.js";

/** What came of a model of several lots, which are asset classes at an interval, on the rows of one. */
export interface LotTried {
  readonly lot: string;
  readonly samples: number;
  /** Of the labels, of which there are fewer. */
  readonly fewer: number;
  readonly auc: number;
  readonly aucLow: number;
  /** Whether the model may be asked of that lot. */
  readonly serves: boolean;
}

/** Chance, shared out among lots, that the model serves one in which it ranks no better than chance. */
const ERROR = 0.025;
/** Rows of a lot, and of either label, below which nothing is known of a model there. */
const LEAST_ROWS = 100;
const LEAST_OF_EACH = 15;

/**
 * Where a model of several lots may serve: in those of which there are enough rows that nothing was chosen by, and in which it
 * ranks by the same limits as over all. What it is good at elsewhere tells nothing of a lot in which it is not.
 * @param lots of each row. @param bootstrap with parts by lot, of which each has blocks of its own.
 * @returns each lot that has a row, by its name.
 */
export function tryLots(
  { scores, labels }: Scored,
  lots: readonly string[],
  { leastAuc }: Pick<PromotionTerms, "leastAuc">,
  { parts = [], ...bootstrap }: ResampleTerms,
): LotTried[] {
  const names = [...new Set(lots)].sort();
  return names.map((lot, k): LotTried => {
    const pick = (column: Float64Array) => column.filter((_, row) => lots[row] === lot);
    const own = { scores: pick(scores), labels: pick(labels) };
    const samples = own.labels.length;
    const wins = own.labels.reduce((sum, label) => sum + label, 0);
    const fewer = Math.min(wins, samples - wins);
    const area = areaInterval(
      own,
      parts[k] === undefined ? bootstrap : { ...bootstrap, meanBlock: parts[k].meanBlock },
    );
    const { value: auc, low: aucLow } = area;
    const { low: aucLeast } = areaBounds(area, ERROR / names.length);
    const enough = samples >= LEAST_ROWS && fewer >= LEAST_OF_EACH;
    return { lot, samples, fewer, auc, aucLow, serves: enough && auc > leastAuc && aucLeast > 0.5 };
  });
}
