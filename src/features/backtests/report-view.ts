import { FIGURES, wordsOf } from "../../core/backtest/figures.js";
import type { DrawdownPeriod } from "../../core/backtest/track.js";
import type { Interval } from "../../core/market/interval.js";
import { isoTime } from "../../platform/http.js";
import { titleOf } from "../catalogue/pattern-names.js";
import { nameOf } from "../models/store.js";
import type { TradeGroup } from "./breakdown.js";
import type { OverfittingView } from "./ledger.js";
import type { Chosen } from "./order.js";
import type { RunTrade } from "./run-trades.js";
import type { RunFound } from "./run-worker.js";
import type { RunData } from "./series.js";
import type { RunTerms } from "./terms.js";

/** Trades and doubtful fills that a report lists at most, the newest. */
const TRADES_LISTED = 5_000;
const DOUBTS_LISTED = 500;
const DRAWDOWNS_LISTED = 10;

export const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function chosenView({ strategy, values }: Chosen) {
  const { pattern } = values;
  const named = strategy.id === "pattern_trade" ? `: ${titleOf(String(pattern))}` : "";
  return { id: strategy.id, name: `${strategy.title}${named}`, parameters: values };
}

/** What every report begins with: what was traded, over which bars, under which terms. */
export function headView(data: RunData, found: Pick<RunFound, "turned"> | null = null) {
  const { sets, series, terms, sha256, synthetic } = data;
  const firsts = series.map(({ time }) => time[0]);
  const lasts = series.map(({ time }) => time[time.length - 1]);
  return {
    symbols: series.map(({ symbol }) => symbol),
    interval: series[0].interval,
    period: { start: isoTime(Math.min(...firsts)), end: isoTime(Math.max(...lasts)) },
    bars: series.reduce((sum, { time }) => sum + time.length, 0),
    models: data.models.map((version) => ({
      model: nameOf(version),
      version: version.version,
      hash: version.hash,
    })),
    data: {
      sha256,
      synthetic,
      source: sets[0].source,
      series: series.map(({ symbol, time }, k) => ({
        symbol,
        start: isoTime(firsts[k]),
        end: isoTime(lasts[k]),
        bars: time.length,
      })),
      notes: [
        ...new Set([
          ...sets.flatMap(({ note, trouble }) => [note, trouble].filter((each) => each !== null)),
          ...data.notes,
          ...(found === null ? [] : notHadNotes(found.turned)),
        ]),
      ],
    },
    terms: termsView(terms, series[0].interval),
  };
}

/** What was asked for and not had, in words. */
function notHadNotes(turned: RunFound["turned"]): string[] {
  return Object.entries(turned).map(
    ([reason, count]) =>
      `${count} ${count === 1 ? "order" : "orders"} not had, or not whole: ${reason.replaceAll("_", " ")}`,
  );
}

function termsView(terms: RunTerms, interval: Interval) {
  return {
    currency: terms.currency,
    initial_capital: terms.capital,
    costs: {
      commission_bps: terms.commissionBps,
      commission_per_share: terms.commissionPerShare,
      spread_bps: terms.spreadBps,
      slippage_bps: terms.slippageBps,
      volume_share: terms.volumeShare,
    },
    sizing: { kind: terms.sizing, share: terms.share },
    account: terms.account,
    closing: terms.closing,
    convention: terms.convention,
    returns_of_a_year: terms.yearReturns,
    returns_are_of: periodOf(terms, interval),
    risk_free_rate: terms.riskFree,
    fills: "decided at a close, filled from the next open on",
  };
}

/** What a return is of, where days and a year are spoken of. */
function periodOf({ calendar }: RunTerms, interval: Interval): string {
  if (interval === "1w") return calendar === null ? "days of UTC on which a week of a symbol opens" : "weeks";
  return calendar === null
    ? "days of UTC on which a symbol has a bar"
    : calendar === "24x7"
      ? "days of UTC"
      : `trading days of ${calendar}`;
}

/** What a report tells of a run. */
export type ToldFound = Pick<
  RunFound,
  "hash" | "report" | "time" | "bounds" | "doubts" | "trades" | "breakdown" | "turned"
>;

/** The report of one backtest, without its hash. */
export function reportView(chosen: Chosen, data: RunData, found: ToldFound, overfitting: OverfittingView) {
  const { trades, hash, turned, breakdown } = found;
  return {
    strategy: chosenView(chosen),
    ...headView(data, found),
    run_hash: hash,
    figures: figuresView(found, data.terms),
    months: found.report.months,
    drawdowns: drawdownsView(found),
    fills: fillsView(found, data.terms),
    overfitting,
    breakdown: {
      by_regime: breakdown.byRegime.map(groupView),
      by_pattern: breakdown.byPattern.map(groupView),
      by_symbol: breakdown.bySymbol.map(groupView),
      by_reason: breakdown.byReason.map(groupView),
      by_exit_reason: breakdown.byExitReason.map(groupView),
    },
    not_had: turned,
    trades_in_all: trades.length,
    trades: trades.slice(-TRADES_LISTED).map(tradeView),
  };
}

export type ReportView = ReturnType<typeof reportView>;

function figuresView({ report }: ToldFound, { convention }: RunTerms) {
  return FIGURES.map((row) => {
    const { value, reason } = report.figures[row.name];
    const shown = value !== null && row.unit === "money" ? value / 1e6 : value;
    return {
      name: row.name,
      title: row.title,
      unit: row.unit,
      value: shown,
      reason,
      ...wordsOf(row, convention),
    };
  });
}

function drawdownsView({ report, time }: ToldFound) {
  const deepest = report.drawdowns.toSorted((a, b) => b.depth - a.depth).slice(0, DRAWDOWNS_LISTED);
  return deepest.map(({ depth, peakBar, troughBar, endBar, bars, days }: DrawdownPeriod) => ({
    depth,
    peak: isoTime(time[peakBar]),
    trough: isoTime(time[troughBar]),
    end: endBar === null ? null : isoTime(time[endBar]),
    bars,
    days,
  }));
}

/** What the account would have had, had all bars whose path is not known gone one way or the other. */
function fillsView({ bounds, doubts, trades }: ToldFound, { capital }: RunTerms) {
  const of = (equity: number) => ({ final_equity: equity, total_return: equity / capital - 1 });
  return {
    pessimistic: of(bounds.pessimistic),
    headline: of(bounds.headline),
    optimistic: of(bounds.optimistic),
    ambiguous_trades: trades.filter(({ ambiguous }) => ambiguous).length,
    doubts_in_all: doubts.length,
    doubts: doubts.slice(-DOUBTS_LISTED).map((doubt) => ({
      at: isoTime(doubt.at),
      symbol: doubt.symbol,
      order: doubt.orderId,
      filled: doubt.filled,
      optimistic: doubt.optimisticMicros / 1e6,
      pessimistic: doubt.pessimisticMicros / 1e6,
    })),
  };
}

function groupView({ key, trades, winRate, net, meanGain, profitFactor }: TradeGroup) {
  return { key, trades, win_rate: winRate, net, mean_gain: meanGain, profit_factor: profitFactor };
}

export function tradeView(trade: RunTrade) {
  return {
    ...(trade.fold === undefined ? {} : { fold: trade.fold }),
    symbol: trade.symbol,
    side: trade.side,
    entry_date: isoTime(trade.entryMs),
    exit_date: timeOf(trade.exitMs),
    entry_price: trade.entryPrice,
    exit_price: trade.exitPrice,
    quantity: trade.quantity,
    fees: trade.fees,
    dividends: trade.dividends,
    pnl: trade.exitMs === null ? null : trade.net,
    pnl_pct: trade.exitMs === null || trade.gain === null ? null : 100 * trade.gain,
    unrealized_pnl: trade.openNet,
    bars: trade.bars,
    entry_reason: trade.entryReason,
    exit_reason: trade.exitReason,
    ambiguous: trade.ambiguous,
    market_condition: trade.regime,
    pattern: trade.pattern,
  };
}
