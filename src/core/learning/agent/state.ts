import { ensure } from "../../base/assert.js";
import { computeIndicator, resolveParameters } from "../../indicators/define.js";
import { findIndicator } from "../../indicators/index.js";
import type { Bars } from "../../market/candles.js";

/**
 * What an agent knows at the close of a bar. Each column is free of the scale of prices and volumes, 0 where it says
 * nothing, and enters the net as the hyperbolic tangent of its value per `scale`, so that nothing from outside can be
 * larger than what was learnt from; a value that is not known enters as 0.
 */
export const STATE_COLUMNS = [
  column("price", 3, "close less its mean of 20 bars, in average true ranges of 14 bars", true),
  column("volume", 1, "logarithm of volume per its mean of 20 bars", true),
  column("rsi", 0.5, "relative strength index of 14 bars, -1..1 for 0..100"),
  column("macd", 2, "difference of averages of 12 and 26 bars, in average true ranges", true),
  column("bb_position", 1, "place between the Bollinger bands of 20 bars, -1 lower, 1 upper"),
  column("sentiment", 1, "-1 bad to 1 good"),
  column("move_10", 1, "net move of 10 bars per average true range and root of 10", true),
  column("move_40", 1, "net move of 40 bars per average true range and root of 40", true),
  column("volatility", 0.5, "logarithm of average true range of 14 per that of 50 bars", true),
  column("position", 1, "-1 short, 0 flat, 1 long"),
  column("pnl", 5, "profit of a unit since its fill, in average true ranges of when it was decided", true),
  column("time_in_position", 4, "logarithm of 1 and the bars since the fill"),
] as const;

interface Column<Name extends string> {
  readonly name: Name;
  readonly scale: number;
  readonly unit: string;
  /** Whether it is known only with the bars before: one who tells a figure each does not know it. */
  readonly needsBars: boolean;
}

function column<Name extends string>(
  name: Name,
  scale: number,
  unit: string,
  needsBars = false,
): Column<Name> {
  return Object.freeze({ name, scale, unit, needsBars });
}

export type StateColumn = (typeof STATE_COLUMNS)[number]["name"];

/** Numbers in a state. */
export const STATE_LENGTH = STATE_COLUMNS.length;
/** Columns that hang on the market alone; the others on the position. */
export const MARKET_LENGTH = STATE_COLUMNS.findIndex(({ name }) => name === "position");

/** A column as it enters the net. */
export function inputOf(value: number, scale: number): number {
  return Number.isNaN(value) ? 0 : Math.tanh(value / scale);
}

/** Bars of one symbol as an agent sees them. */
export interface AgentMarket {
  readonly open: Float64Array;
  readonly close: Float64Array;
  /** Average true range of 14 bars; NaN through its warm-up. */
  readonly range: Float64Array;
  /** Inputs of the market columns, `MARKET_LENGTH` a bar. */
  readonly inputs: Float64Array;
  /** First bar that is decided on; the length of the columns where they are too short for any. */
  readonly first: number;
}

/** Bars before the first that is decided on: those of the longest window. */
export const AGENT_WARMUP = 50;

/**
 * Columns of the state that hang on bars, each known at its close.
 * @param sentiment one value a bar, NaN where there is none; without it none is known.
 */
export function marketOf(bars: Bars, sentiment?: Float64Array): AgentMarket {
  const { open, close, volume } = bars;
  const n = close.length;
  const columnsOf = (name: string, source: Bars, given: Readonly<Record<string, number>>) => {
    const indicator = ensure(findIndicator(name), `no indicator is called ${name}`);
    const { values, problem } = resolveParameters(indicator, given);
    return computeIndicator(indicator, source, ensure(values, problem ?? name))[0];
  };
  const mean = columnsOf("sma", bars, { period: 20 });
  const meanVolume = columnsOf("sma", { ...bars, close: volume }, { period: 20 });
  const range = columnsOf("atr", bars, { period: 14 });
  const longRange = columnsOf("atr", bars, { period: 50 });
  const rsi = columnsOf("rsi", bars, { period: 14 });
  const macd = columnsOf("macd", bars, {});
  const band = columnsOf("percent_b", bars, { period: 20 });
  const inputs = new Float64Array(n * MARKET_LENGTH);
  for (let i = 0; i < n; i++) {
    // Prices that stand still have no range to measure a way by.
    const unit = range[i] > 0 ? range[i] : Number.NaN;
    const at = i * MARKET_LENGTH;
    inputs[at] = (close[i] - mean[i]) / unit;
    inputs[at + 1] = volume[i] > 0 ? Math.log(volume[i] / meanVolume[i]) : Number.NaN;
    inputs[at + 2] = rsi[i] / 50 - 1;
    inputs[at + 3] = macd[i] / unit;
    inputs[at + 4] = 2 * band[i] - 1;
    inputs[at + 5] = sentiment === undefined ? Number.NaN : sentiment[i];
    inputs[at + 6] = i < 10 ? Number.NaN : (close[i] - close[i - 10]) / (unit * Math.sqrt(10));
    inputs[at + 7] = i < 40 ? Number.NaN : (close[i] - close[i - 40]) / (unit * Math.sqrt(40));
    inputs[at + 8] = Math.log(unit / longRange[i]);
    for (let k = 0; k < MARKET_LENGTH; k++) inputs[at + k] = inputOf(inputs[at + k], STATE_COLUMNS[k].scale);
  }
  return { open, close, range, inputs, first: Math.min(AGENT_WARMUP, n) };
}

export type Position = -1 | 0 | 1;

/** What is held, as of a close. */
export interface Holding {
  position: Position;
  /** Worth of the position per equity with its sign: 1 long, about -1 short, as the price goes since the fill. */
  exposure: number;
  /** Price of the fill. */
  entry: number;
  /** Bar at whose open it was filled. */
  filledAt: number;
}

/** Makes what is known only with bars unknown in the inputs of the net. */
export function hideBars(inputs: Float64Array): void {
  for (let k = 0; k < STATE_LENGTH; k++) if (STATE_COLUMNS[k].needsBars) inputs[k] = 0;
}

export function flatHolding(): Holding {
  return { position: 0, exposure: 0, entry: 0, filledAt: 0 };
}

/** Writes the inputs of the net at the close of bar i into `out`, in the order of `STATE_COLUMNS`. */
export function writeState(market: AgentMarket, i: number, holding: Holding, out: Float64Array): void {
  const { inputs, close, range } = market;
  const at = i * MARKET_LENGTH;
  for (let k = 0; k < MARKET_LENGTH; k++) out[k] = inputs[at + k];
  const { position, entry, filledAt } = holding;
  if (position === 0) {
    out.fill(0, MARKET_LENGTH, STATE_LENGTH);
    return;
  }
  const unit = range[filledAt - 1];
  const profit = unit > 0 ? (position * (close[i] - entry)) / unit : Number.NaN;
  out[MARKET_LENGTH] = inputOf(position, STATE_COLUMNS[MARKET_LENGTH].scale);
  out[MARKET_LENGTH + 1] = inputOf(profit, STATE_COLUMNS[MARKET_LENGTH + 1].scale);
  out[MARKET_LENGTH + 2] = inputOf(Math.log1p(i - filledAt + 1), STATE_COLUMNS[MARKET_LENGTH + 2].scale);
}
