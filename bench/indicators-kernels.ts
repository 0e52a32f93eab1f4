import { ensure } from "../src/core/base/assert.js";
import { type Indicator, type ParameterValues, resolveParameters } from "../src/core/indicators/define.js";
import { findIndicator } from "../src/core/indicators/index.js";

/** The 21 functions compared with TA-Lib and npm packages, with the parameters of the comparison. */
export const KERNELS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  sma: { period: 14 },
  ema: { period: 14 },
  wma: { period: 14 },
  rsi: { period: 14 },
  macd: { fast: 12, slow: 26, signal: 9 },
  bbands: { period: 20, deviations: 2 },
  atr: { period: 14 },
  adx: { period: 14 },
  stoch: { period: 14, slowing: 3, signal: 3 },
  obv: {},
  cci: { period: 14 },
  mfi: { period: 14 },
  willr: { period: 14 },
  roc: { period: 10 },
  trix: { period: 15 },
  ad: {},
  aroon: { period: 14 },
  stddev: { period: 20 },
  linreg_slope: { period: 14 },
  kama: { period: 30 },
  sar: { acceleration: 0.02, maximum: 0.2 },
};

/** A row with the values of the comparison, or its presets. */
export function rowOf(name: string): { indicator: Indicator; values: ParameterValues } {
  const indicator = ensure(findIndicator(name), name);
  return { indicator, values: ensure(resolveParameters(indicator, KERNELS[name] ?? {}).values, name) };
}
