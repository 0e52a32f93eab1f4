import { z } from "zod";
import type { ChangedBar } from "../../core/backtest/reconcile-causes.js";
import type { ReconcileWindow } from "../../core/backtest/reconcile-trades.js";
import { lowerBound } from "../../core/base/search.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { INTERVALS } from "../../core/market/interval.js";
import { returnsPerYear } from "../../core/market/returns-per-year.js";
import { calendarOf } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import { instantText } from "../../platform/http.js";
import { versionsOf } from "./followed.js";
import { JOB_BARS, type ReconcileOrder } from "./jobs-order.js";
import {
  type Chosen,
  chosenBy,
  chosenOf,
  type SingleOrder,
  singleOrder,
  strategyOf,
  symbolsOf,
} from "./order.js";
import { checkOrder, type PerformParts } from "./perform.js";
import type { StoredRun } from "./run-store.js";
import { instrumentsOf, loadBars, loadRun, type RunData } from "./series.js";
import { endText, stretchOf } from "./stretch.js";
import { ACCOUNTS, CLOSINGS, CONVENTIONS, SIZING_NAMES } from "./terms.js";

/** A backtest that is to be run, and what is known of one that is kept. */
export interface ReconcileSource {
  readonly chosen: Chosen;
  /** The bars to run it on, in the order in which they are to be tried. */
  readonly tries: readonly RunData[];
  readonly kept: { readonly id: number; readonly hash: string } | null;
  readonly changed: ReadonlyMap<string, readonly ChangedBar[]>;
}

/** What a run again needs of a kept report. */
const keptReport = z.object({
  strategy: z.object({ id: z.string(), parameters: z.record(z.string(), z.union([z.number(), z.string()])) }),
  symbols: z.array(z.string()).min(1),
  interval: z.enum(INTERVALS),
  period: z.object({ start: z.string(), end: z.string() }),
  data: z
    .object({
      series: z.array(z.object({ symbol: z.string(), start: z.string(), end: z.string() })).optional(),
    })
    .default({}),
  models: z.array(z.object({ version: z.string() })).default([]),
  hash: z.string(),
  run_hash: z.string().optional(),
  terms: z.object({
    currency: z.string(),
    initial_capital: z.number(),
    costs: z.object({
      commission_bps: z.number(),
      commission_per_share: z.number(),
      spread_bps: z.number(),
      slippage_bps: z.number(),
      volume_share: z.number().nullable().default(null),
    }),
    sizing: z.object({ kind: z.enum(SIZING_NAMES), share: z.number().nullable() }),
    account: z.enum(ACCOUNTS),
    closing: z.enum(CLOSINGS),
    convention: z.enum(CONVENTIONS),
    returns_of_a_year: z.number().optional(),
    risk_free_rate: z.number(),
  }),
});
type KeptReport = z.output<typeof keptReport>;

/** @throws {AppError} `backtest_not_found`, also for another's; `invalid_request` for a run of another kind. */
export async function keptRun(
  { runs }: Pick<PerformParts, "runs">,
  userId: string,
  id: number,
): Promise<{ run: StoredRun; report: KeptReport }> {
  const run = await runs.find(id);
  if (run === null || run.userId !== userId) {
    throw new AppError("backtest_not_found", `There is no backtest ${id}`);
  }
  if (run.kind !== "backtest") {
    throw new AppError("invalid_request", `body run_id: ${id} is a ${run.kind} and no single backtest`);
  }
  return { run, report: keptReport.parse(run.report) };
}

/** Whether a backtest that is run now pays what the account pays, its order naming no costs. */
export function paysAsAccount({ order }: ReconcileOrder): boolean {
  return order !== undefined && order.costs === undefined;
}

/** The order of a backtest with the dates of the window, where it names none. */
export function datedOrder({ order, start, end }: ReconcileOrder): SingleOrder | null {
  if (order === undefined) return null;
  const { start_date = start, end_date = end, costs } = order;
  return {
    ...order,
    costs: costs ?? singleOrder.shape.costs.parse({}),
    ...(start_date === undefined ? {} : { start_date }),
    ...(end_date === undefined ? {} : { end_date }),
  };
}

/**
 * The stretch in which trades are compared. @param whole what the backtest is of.
 * @throws {AppError} `invalid_request` for an end that is not after the start, and for what the backtest is not of.
 */
export function windowOf(
  { start, end }: Pick<ReconcileOrder, "start" | "end">,
  whole: ReconcileWindow,
): ReconcileWindow {
  const fromMs = start === undefined ? whole.fromMs : instantText.parse(start);
  const toMs = end === undefined ? whole.toMs : endText(end);
  if (fromMs >= toMs) throw new AppError("invalid_request", "body start: must lie before end");
  if (fromMs >= whole.toMs || toMs <= whole.fromMs) {
    throw new AppError("invalid_request", "body start: the window lies outside of the backtest");
  }
  if (fromMs < whole.fromMs || toMs > whole.toMs) {
    throw new AppError("invalid_request", "body start: the window reaches beyond the backtest");
  }
  return { fromMs, toMs };
}

/** What the window of an order must lie in. @throws {AppError} as `checkOrder` and `stretchOf`. */
export async function checkReconcileOrder(parts: PerformParts, order: SingleOrder): Promise<ReconcileWindow> {
  await checkOrder(parts, order);
  return stretchOf(order, parts.now());
}

/** From the open of the first bar of a kept run to the close of its last. @throws {AppError} as instruments do. */
export async function stretchOfKept(
  parts: PerformParts,
  { symbols, interval, period }: KeptReport,
): Promise<ReconcileWindow> {
  const known = await instrumentsOf(parts, symbols);
  const last = Date.parse(period.end);
  const closes = known.map(({ calendar }) => barClose(calendarOf(calendar), interval, last));
  return { fromMs: Date.parse(period.start), toMs: Math.max(...closes) };
}

/** Loads the bars of a backtest that is run now. @throws {AppError} as `loadRun`. */
export async function sourceOfOrder(parts: PerformParts, order: SingleOrder): Promise<ReconcileSource> {
  const chosen = chosenBy(order);
  const data = await loadRun(parts, [chosen], symbolsOf(order), order, JOB_BARS);
  return { chosen, tries: [data], kept: null, changed: new Map() };
}

/** Loads the bars that a kept run saw, and those of now. @throws {AppError} as candles do, `no_data` without bars. */
export async function sourceOfKept(
  parts: PerformParts,
  { run, report }: { run: StoredRun; report: KeptReport },
): Promise<ReconcileSource> {
  const chosen = chosenOf(strategyOf(report.strategy.id), report.strategy.parameters);
  const knownAtMs = Math.min(run.createdAt, parts.now());
  const [then, now] = [
    await keptData(parts, chosen, report, knownAtMs),
    await keptData(parts, chosen, report),
  ];
  const changed = new Map(
    now.series.map((candles, k) => [candles.symbol, changedBars(then.series[k], candles)] as const),
  );
  const kept = { id: run.id, hash: report.run_hash ?? report.hash };
  return { chosen, tries: then.sha256 === now.sha256 ? [now] : [then, now], kept, changed };
}

async function keptData(
  parts: PerformParts,
  chosen: Chosen,
  report: KeptReport,
  knownAtMs?: number,
): Promise<RunData> {
  const { symbols, interval, period, terms } = report;
  const known = await instrumentsOf(parts, symbols);
  const stretches = known.map(({ symbol }) => {
    const { start, end } = report.data.series?.find((each) => each.symbol === symbol) ?? period;
    return { fromMs: Date.parse(start), toMs: Date.parse(end) + 1, knownAtMs };
  });
  const numbers = new Set(report.models.map(({ version }) => version));
  const [model_version] = numbers.size === 1 ? numbers : [];
  const following = { interval, model_version, model_in_sample: true };
  const versions = await versionsOf(parts, [chosen], known, following);
  const followed = versions === null ? null : { versions };
  const bars = await loadBars(parts, [chosen], known, interval, stretches, JOB_BARS, followed);
  const [{ calendar }] = known;
  const { costs, sizing } = terms;
  return {
    ...bars,
    terms: {
      currency: terms.currency,
      capital: terms.initial_capital,
      commissionBps: costs.commission_bps,
      commissionPerShare: costs.commission_per_share,
      spreadBps: costs.spread_bps,
      slippageBps: costs.slippage_bps,
      volumeShare: costs.volume_share,
      sizing: sizing.kind,
      share: sizing.share,
      account: terms.account,
      closing: terms.closing,
      calendar: known.every((each) => each.calendar === calendar) ? calendar : null,
      convention: terms.convention,
      yearReturns:
        terms.returns_of_a_year ??
        returnsPerYear(
          known.map((each) => calendarOf(each.calendar)),
          interval,
        ),
      riskFree: terms.risk_free_rate,
    },
    benchmark: { kind: "none" },
  };
}

const COLUMNS = ["open", "high", "low", "close", "volume"] as const;

/** Bars that were otherwise, by their places in the former series; ones that came since are no change of it. */
export function changedBars(was: Candles, is: Candles): ChangedBar[] {
  const found: ChangedBar[] = [];
  for (let bar = 0; bar < was.time.length; bar++) {
    const k = lowerBound(is.time, was.time[bar]);
    const gone = is.time[k] !== was.time[bar];
    for (const column of COLUMNS) {
      const [former, latter] = [was[column][bar], gone ? null : is[column][k]];
      if (former !== latter) found.push({ bar, column, was: former, is: latter });
    }
  }
  return found;
}
