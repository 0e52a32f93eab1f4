import type { Indicator, ParameterValues } from "../../core/indicators/define.js";
import { parseIndicatorRequest } from "../../core/indicators/request.js";
import type { Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import compute, { type Computation } from "./worker.js";

export interface ComputedIndicator {
  /** As it was asked for. */
  readonly request: string;
  readonly indicator: Indicator;
  readonly values: ParameterValues;
  /** One column for each output, over the bars from `from` on. */
  readonly outputs: readonly Float64Array[];
  /** Whether so many bars came before `from` that where the candles start no longer shows in any value. */
  readonly settled: boolean;
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
   * @throws {AppError} `invalid_request` for a request that cannot be read or asks for too much, and as candles do.
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
/** Bars before the first wanted one for sums from the first bar, which no number of bars settles. */
const UNSETTLED_LEAD = 1_000;
/**
 * Bars times the doubles that a row may go over at each, summed over the rows: a fifth of a second for most rows,
 * two seconds for the dearest.
 */
const WORK_LIMIT = 50_000_000;
/** Work that takes a few milliseconds, done at once; more is done in a thread. */
const IMMEDIATE_WORK = 500_000;
const COMPUTE = defineTask<Computation, Float64Array[][]>(new URL("./worker.js", import.meta.url));

interface ReadRequest {
  readonly request: string;
  readonly indicator: Indicator;
  readonly values: ParameterValues;
}

export function createAnalysis({
  candles,
  instruments,
  workers,
}: {
  candles: CandleService;
  instruments: Instruments;
  workers: Workers;
}): Analysis {
  return {
    async computeIndicators(symbol, interval, names, bars) {
      const requests = readRequests(names);
      const lead = Math.max(...requests.map(leadOf));
      const wanted = Math.min(BARS_LIMIT, bars + lead);
      const work = workOf(requests, wanted);
      const instrument = await instruments.resolve(symbol);
      const set = await candles.loadLatest(instrument, interval, wanted);
      const { length } = set.candles.time;
      if (length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
      const from = Math.max(0, length - bars);
      const rows = requests.map(({ indicator, values }) => ({ name: indicator.name, values }));
      const computation = { candles: set.candles, from, rows };
      const columns = work <= IMMEDIATE_WORK ? compute(computation) : await workers.run(COMPUTE, computation);
      const computed = requests.map((request, i) => ({
        ...request,
        outputs: columns[i],
        settled: from >= request.indicator.settle(request.values),
      }));
      return { set, from, computed };
    },
  };
}

function leadOf({ indicator, values }: ReadRequest): number {
  const settle = indicator.settle(values);
  return Number.isFinite(settle) ? settle : UNSETTLED_LEAD;
}

function workOf(requests: readonly ReadRequest[], bars: number): number {
  const work = requests.reduce(
    (sum, { indicator, values }) =>
      sum + bars * Math.max(1, indicator.lookback(values), indicator.memory(values)),
    0,
  );
  if (work <= WORK_LIMIT) return work;
  throw new AppError(
    "invalid_request",
    `query names: windows over ${bars} bars come to ${Math.ceil(work / 1e6)} million values, more than ${WORK_LIMIT / 1e6} million; ask for shorter periods, fewer indicators or a lower limit`,
  );
}

/** Splits `rsi(21),macd(12,26,9)` at the commas between indicators; what is asked for twice is answered once. */
function readRequests(names: string): ReadRequest[] {
  const texts = names.split(/,(?![^(]*\))/).map((text) => text.trim());
  if (texts.every((text) => text === "")) {
    throw new AppError("invalid_request", "query names: name at least one indicator");
  }
  if (texts.length > INDICATORS_LIMIT) {
    throw new AppError("invalid_request", `query names: at most ${INDICATORS_LIMIT} indicators`);
  }
  return [...new Set(texts)].map((text) => {
    const { request, problem } = parseIndicatorRequest(text);
    if (request === null) throw new AppError("invalid_request", `query names: ${problem}`);
    return { request: text, ...request };
  });
}
