import { meanOf } from "../../base/stats.js";
import type { Bars } from "../../market/candles.js";
import {
  AGENT_WARMUP,
  inputOf,
  MARKET_LENGTH,
  marketOf,
  type Position,
  STATE_COLUMNS,
  type StateColumn,
} from "./state.js";

/** A state told in figures of a chart. What is left out, or no number, is not known. */
export interface StateRequest {
  /** In the currency of the price. */
  readonly price?: number;
  /** Of the bar, in units of the instrument. */
  readonly volume?: number;
  /** 0..100. */
  readonly rsi?: number;
  /** Difference of averages of 12 and 26 bars, in the currency of the price. */
  readonly macd?: number;
  /** 0 lower band, 1 upper. */
  readonly bb_position?: number;
  /** -1..1. */
  readonly sentiment?: number;
  /** Below 0 short, above 0 long; only its sign counts. */
  readonly position?: number;
  /** Profit of one unit since its fill, in the currency of the price. */
  readonly pnl?: number;
  /** Bars. */
  readonly time_in_position?: number;
}

/** What the figures of a request are measured by, of the bars it was told of. */
export interface RequestScale {
  /** Means of 20 bars. */
  readonly meanPrice?: number;
  readonly meanVolume?: number;
  /** Average true range of 14 bars. */
  readonly range?: number;
  /** Inputs of the market columns at the newest bar, which stand for figures that were not told. */
  readonly inputs?: Float64Array;
}

/** What the newest of closed bars tell; nothing where there are too few. */
export function scaleOf(bars: Bars): RequestScale {
  const { close, volume } = bars;
  const { length } = close;
  if (length < AGENT_WARMUP) return {};
  const { range, inputs } = marketOf(bars);
  const mean = (column: Float64Array) => meanOf(column.subarray(length - MEAN_BARS));
  return {
    meanPrice: mean(close),
    meanVolume: mean(volume),
    range: range[length - 1],
    inputs: inputs.slice((length - 1) * MARKET_LENGTH),
  };
}

const MEAN_BARS = 20;

export interface RequestedState {
  /** Of the net, in the order of `STATE_COLUMNS`. */
  readonly inputs: Float64Array;
  readonly position: Position;
  /** Columns that were taken to say nothing, each with the reason. */
  readonly assumed: readonly { readonly column: StateColumn; readonly reason: string }[];
}

/**
 * The state of an agent from figures that were told. A price, a volume or a profit alone has no scale: without what it
 * is measured by, its column is not known, and is told in `assumed`.
 */
export function stateOfRequest(request: StateRequest, scale: RequestScale = {}): RequestedState {
  const { price, volume, rsi, macd, bb_position, sentiment, pnl, time_in_position: time } = request;
  const position = Math.sign(known(request.position) ?? 0) as Position;
  const range = positive(scale.range);
  const meanPrice = positive(scale.meanPrice);
  const meanVolume = positive(scale.meanVolume);
  const noRange = "no average true range to measure it by";
  const bars = "hangs on bars before, which were not given";
  const columns: Record<StateColumn, number | string> = {
    price: from(price, (value) =>
      meanPrice === null ? "no mean of closes to measure it by" : perRange(value - meanPrice),
    ),
    volume: from(positive(volume), (value) =>
      meanVolume === null ? "no mean volume to measure it by" : Math.log(value / meanVolume),
    ),
    rsi: from(rsi, (value) => value / 50 - 1),
    macd: from(macd, perRange),
    bb_position: from(bb_position, (value) => 2 * value - 1),
    sentiment: from(sentiment, (value) => value),
    move_10: bars,
    move_40: bars,
    volatility: bars,
    position: from(request.position, () => position),
    pnl: position === 0 ? 0 : from(pnl, perRange),
    time_in_position: position === 0 ? 0 : from(time, (value) => Math.log1p(Math.max(1, value))),
  };
  function perRange(value: number): number | string {
    return range === null ? noRange : value / range;
  }
  const assumed: RequestedState["assumed"][number][] = [];
  const inputs = Float64Array.from(STATE_COLUMNS, ({ name, scale: by }, k) => {
    const value = columns[name];
    if (typeof value === "number") return inputOf(value, by);
    // Bars know nothing of sentiment.
    if (scale.inputs !== undefined && k < MARKET_LENGTH && name !== "sentiment") return scale.inputs[k];
    assumed.push({ column: name, reason: value });
    return 0;
  });
  return { inputs, position, assumed };
}

/** A figure where it was given, or why there is none. */
function from(value: number | undefined | null, figure: (value: number) => number | string): number | string {
  const given = known(value);
  return given === null ? "was not given" : figure(given);
}

function known(value: number | undefined | null): number | null {
  return value === undefined || value === null || !Number.isFinite(value) ? null : value;
}

function positive(value: number | undefined): number | null {
  const given = known(value);
  return given !== null && given > 0 ? given : null;
}
