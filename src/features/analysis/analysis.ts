import { computeIndicator, type Indicator, type ParameterValues } from "../../core/indicators/define.js";
import { parseIndicatorRequest } from "../../core/indicators/request.js";
import type { Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";

export interface ComputedIndicator {
  /** As it was asked for. */
  readonly request: string;
  readonly indicator: Indicator;
  readonly values: ParameterValues;
  /** One column for each output, as long as the candles. */
  readonly outputs: readonly Float64Array[];
}

export interface IndicatorAnalysis {
  readonly set: CandleSet;
  /** First bar that was asked for; those before it only warm the indicators up. */
  readonly from: number;
  readonly computed: readonly ComputedIndicator[];
}

export interface Analysis {
  /**
   * Indicators on the newest `bars` closed bars, from enough bars before them to have settled where there are.
   * @throws {AppError} `invalid_request` for a request that cannot be read, and as candles do.
   */
  computeIndicators(
    symbol: string,
    interval: Interval,
    names: string,
    bars: number,
  ): Promise<IndicatorAnalysis>;
}

const INDICATORS_LIMIT = 20;
const BARS_LIMIT = 10_000;

export function createAnalysis({
  candles,
  instruments,
}: {
  candles: CandleService;
  instruments: Instruments;
}): Analysis {
  return {
    async computeIndicators(symbol, interval, names, bars) {
      const requests = readRequests(names);
      const settle = Math.max(...requests.map(({ indicator, values }) => leadOf(indicator, values)));
      const instrument = await instruments.resolve(symbol);
      const set = await candles.loadLatest(instrument, interval, Math.min(BARS_LIMIT, bars + settle));
      const { length } = set.candles.time;
      if (length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
      const computed = requests.map(({ request, indicator, values }) => ({
        request,
        indicator,
        values,
        outputs: computeIndicator(indicator, set.candles, values),
      }));
      return { set, from: Math.max(0, length - bars), computed };
    },
  };
}

/** Bars before the first wanted one: until the start no longer matters, for sums from the first bar a thousand. */
function leadOf(indicator: Indicator, values: ParameterValues): number {
  const settle = indicator.settle(values);
  return Number.isFinite(settle) ? settle : 1_000;
}

/** Splits `rsi(21),macd(12,26,9)` at the commas between indicators. */
function readRequests(names: string) {
  const texts = names
    .split(/,(?![^(]*\))/)
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (texts.length === 0) throw new AppError("invalid_request", "query names: name at least one indicator");
  if (texts.length > INDICATORS_LIMIT) {
    throw new AppError("invalid_request", `query names: at most ${INDICATORS_LIMIT} indicators`);
  }
  return texts.map((text) => {
    const { request, problem } = parseIndicatorRequest(text);
    if (request === null) throw new AppError("invalid_request", `query names: ${problem}`);
    return { request: text, ...request };
  });
}
