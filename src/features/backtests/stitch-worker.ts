import { closesAt } from "../../core/backtest/positions.js";
import type { Report } from "../../core/backtest/report.js";
import { type Track, turnoverOf } from "../../core/backtest/track.js";
import type { Candles } from "../../core/market/candles.js";
import { isClosed, type Trade } from "../../core/performance/trade.js";
import { moved } from "../../platform/workers.js";
import { type BenchmarkOrder, benchmarkOf, reportBeside } from "./benchmark.js";
import type { FoldFound } from "./fold-worker.js";
import type { RunTerms } from "./terms.js";

/** A test within the whole: its bars from `skip` on are those of the whole from `at` on. */
export interface StitchedTest extends Pick<FoldFound, "equity" | "long" | "short" | "entered"> {
  readonly at: number;
  readonly skip: number;
}

export interface StitchOrder {
  readonly series: readonly Candles[];
  readonly terms: RunTerms;
  readonly benchmark: BenchmarkOrder;
  /** Opens of the bars of all tests, and what 1 has become at the close of each. */
  readonly time: Float64Array;
  readonly growth: Float64Array;
  readonly tests: readonly StitchedTest[];
}

/** What tests come to as one account. Money in the account's currency. */
export interface Stitched {
  readonly report: Pick<Report, "figures" | "months" | "drawdowns">;
  readonly equity: Float64Array;
  /** NaN where there is none. */
  readonly benchmark: Float64Array;
}

/** Reports on tests one after another, each with what the one before has left, in a thread. */
export default function stitch({ series, terms, benchmark, time, growth, tests }: StitchOrder): Stitched {
  const capital = Math.round(terms.capital * 1e6);
  const equity = growth.map((level) => level * capital);
  const [long, short] = [new Float64Array(time.length), new Float64Array(time.length)];
  const trades: Trade[] = [];
  for (const test of tests) {
    const { at, skip, entered } = test;
    for (let k = skip; k < test.equity.length; k++) {
      const i = at + k - skip;
      const scale = scaleOf(equity[i], test.equity[k]);
      long[i] = test.long[k] * scale;
      short[i] = test.short[k] * scale;
    }
    const begun = at === 0 ? capital : equity[at - 1];
    const scale = scaleOf(begun, skip === 0 ? capital : test.equity[skip - 1]);
    trades.push(...entered.map((trade) => scaled(trade, scale)));
  }
  const track: Track = { capital, time, equity, long, short };
  const held = series.map((candles) => ({ close: closesAt(time, candles.time, candles.close) }));
  // What is open at the end of a test is held in its columns and not after it.
  const { report, worth } = reportBeside(
    track,
    trades.filter(isClosed),
    benchmarkOf(benchmark, time, held),
    terms,
  );
  const figures = { ...report.figures, turnover: turnoverOf(track, trades) };
  const money = equity.map((micros) => micros / 1e6);
  const { months, drawdowns } = report;
  const found = { report: { figures, months, drawdowns }, equity: money, benchmark: worth };
  return moved(found, [money.buffer, worth.buffer]);
}

/** What of the whole is to one of a test; nothing of an account that is lost. */
function scaleOf(whole: number, own: number): number {
  return own > 0 ? whole / own : 0;
}

/** A trade in the money of the whole. */
function scaled(trade: Trade, by: number): Trade {
  const { entryMicros, exitMicros, openMicros, gross, fees, dividends, borrow, net } = trade;
  return {
    ...trade,
    quantity: trade.quantity * by,
    openQuantity: trade.openQuantity * by,
    entryMicros: entryMicros * by,
    exitMicros: exitMicros * by,
    openMicros: openMicros * by,
    gross: gross * by,
    fees: fees * by,
    dividends: dividends * by,
    borrow: borrow * by,
    net: net * by,
  };
}
