import type { Indicator } from "./define.js";
import { awesomeOscillator } from "./library.js";
import { cci } from "./momentum/cci.js";
import { macd } from "./momentum/macd.js";
import { roc } from "./momentum/roc.js";
import { rsi } from "./momentum/rsi.js";
import { stoch } from "./momentum/stoch.js";
import { willr } from "./momentum/willr.js";
import { stddev } from "./statistics/stddev.js";
import { adx } from "./trend/adx.js";
import { ema } from "./trend/ema.js";
import { sma } from "./trend/sma.js";
import { wma } from "./trend/wma.js";
import { atr } from "./volatility/atr.js";
import { bbands } from "./volatility/bbands.js";
import { natr } from "./volatility/natr.js";
import { trange } from "./volatility/true-range.js";
import { mfi } from "./volume/mfi.js";
import { obv } from "./volume/obv.js";

/** Every indicator, by family. */
export const INDICATORS: readonly Indicator[] = Object.freeze([
  ...[adx, ema, sma, wma],
  ...[awesomeOscillator, cci, macd, roc, rsi, stoch, willr],
  ...[atr, bbands, natr, trange],
  ...[mfi, obv],
  ...[stddev],
]);

const BY_NAME: ReadonlyMap<string, Indicator> = new Map(INDICATORS.map((row) => [row.name, row]));

/** The row of that name, or null. */
export function findIndicator(name: string): Indicator | null {
  return BY_NAME.get(name) ?? null;
}
