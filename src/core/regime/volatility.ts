import { createColumn } from "../base/columns.js";
import { type Moves, ratio } from "./moves.js";
import { growingMeans, ranksOf, windowMeans } from "./windows.js";

const VOLATILITY_BARS = 20;
const HISTORY_BARS = 252;
/** Volatilities of overlapping bars are much alike, so every sixth of them is compared. */
const HISTORY_STEP = 6;
const LEAST_HISTORY = 97;
const LEAST_COMPARED = 17;
const EXPANSION_BARS = 5;

export interface VolatilityColumns {
  readonly volatility_rank: Float64Array;
  readonly volatility_ratio: Float64Array;
  readonly expansion: Float64Array;
  /** Root of the mean squared logarithmic return of 20 bars, per bar. */
  readonly volatility: Float64Array;
}

/**
 * @param range average true range of 50 bars in logarithms.
 * @param volatilityIndex value of an index at the close of each bar, NaN where there is none.
 */
export function computeVolatility(
  moves: Moves,
  range: Float64Array,
  volatilityIndex: Float64Array | undefined,
): VolatilityColumns {
  const { length } = range;
  const squares = createColumn(length);
  for (let i = 0; i < length; i++) squares[i] = moves.close[i] * moves.close[i];
  const volatility = windowMeans(squares, VOLATILITY_BARS);
  for (let i = 0; i < length; i++) volatility[i] = Math.sqrt(volatility[i]);
  const against = growingMeans(volatility, HISTORY_BARS, LEAST_HISTORY);
  const expansion = windowMeans(moves.trueRange, EXPANSION_BARS);
  const rank = ranksOf(volatility, HISTORY_BARS, HISTORY_STEP, LEAST_COMPARED);
  if (volatilityIndex !== undefined) joinRanks(rank, volatilityIndex);
  for (let i = 0; i < length; i++) {
    against[i] = against[i] === 0 ? 1 : volatility[i] / against[i];
    expansion[i] = ratio(expansion[i], range[i]);
  }
  return { volatility, volatility_rank: rank, volatility_ratio: against, expansion };
}

/** Makes ranks the mean with those of the index, where these are known. */
function joinRanks(ranks: Float64Array, volatilityIndex: Float64Array): void {
  const others = ranksOf(volatilityIndex, HISTORY_BARS, HISTORY_STEP, LEAST_COMPARED);
  for (let i = 0; i < ranks.length; i++) {
    if (!Number.isNaN(others[i])) ranks[i] = (ranks[i] + others[i]) / 2;
  }
}
