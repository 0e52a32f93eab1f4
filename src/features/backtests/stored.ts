import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { lowerBound } from "../../core/base/search.js";
import { INTERVALS, type Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { isoTime, type Principal } from "../../platform/http.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { PlotOrder } from "./plot-worker.js";
import type { RunColumns, RunHead, RunKind, RunStore, StoredRun } from "./run-store.js";
import type { SeriesParts } from "./series.js";

export const PLOTS = ["equity", "drawdown", "months", "trades", "folds"] as const;
export type PlotName = (typeof PLOTS)[number];

const DRAW = defineTask<PlotOrder, string>(new URL("./plot-worker.js", import.meta.url));

/** Tables of a run as CSV. */
export const TABLES = ["trades", "equity", "figures"] as const;
export type TableName = (typeof TABLES)[number];

/** Of the table of trades, in their order. */
const TRADE_COLUMNS = [
  ...["symbol", "side", "entry_date", "exit_date", "entry_price", "exit_price", "quantity", "fees", "pnl"],
  ...[
    "dividends",
    "unrealized_pnl",
    "pnl_pct",
    "bars",
    "entry_reason",
    "exit_reason",
    "ambiguous",
    "market_condition",
    "pattern",
  ],
] as const;

const FIGURE_COLUMNS = ["name", "unit", "value", "reason", "definition"] as const;

/** What pictures and tables read of a kept report. */
const drawnReport = z.object({
  period: z.object({ start: z.string(), end: z.string() }).optional(),
  interval: z.enum(INTERVALS).optional(),
  strategy: z.object({ name: z.string() }).optional(),
  symbols: z.array(z.string()).optional(),
  terms: z.object({ currency: z.string(), initial_capital: z.number() }).optional(),
  months: z
    .array(z.object({ year: z.number(), months: z.array(z.number().nullable()), total: z.number() }))
    .optional(),
  trades: z
    .array(
      z.looseObject({
        symbol: z.string(),
        side: z.enum(["long", "short"]),
        entry_date: z.string(),
        exit_date: z.string().nullable(),
        entry_price: z.number(),
        exit_price: z.number().nullable(),
      }),
    )
    .optional(),
  folds: z
    .array(
      z.object({
        train: z.object({ start: z.string(), end: z.string() }),
        test: z.object({ start: z.string(), end: z.string() }),
        train_score: z.number().nullable(),
        test_score: z.number().nullable(),
      }),
    )
    .optional(),
  figures: z
    .array(
      z.looseObject({
        name: z.string(),
        unit: z.string(),
        value: z.number().nullable(),
        reason: z.string().nullable(),
        definition: z.string(),
      }),
    )
    .optional(),
  objective: z.string().optional(),
});
type DrawnReport = z.output<typeof drawnReport>;

export interface StoredRuns {
  /** Newest first: a user's own, everybody's for an admin. */
  list(
    principal: Principal,
    filter: { kind?: RunKind | undefined; before?: number | undefined },
    limit: number,
  ): Promise<RunHead[]>;
  /** @throws {AppError} `backtest_not_found` for none and for somebody else's. */
  find(principal: Principal, id: number): Promise<StoredRun>;
  /** CSV with a line of names. @throws {AppError} as `find`, `no_data` for a run without what the table has. */
  tableOf(principal: Principal, id: number, table: TableName): Promise<string>;
  /** SVG. @throws {AppError} as `find`, `no_data` where the run has nothing to draw so. */
  draw(principal: Principal, id: number, plot: PlotName): Promise<string>;
}

export function createStoredRuns(parts: SeriesParts & { runs: RunStore; workers: Workers }): StoredRuns {
  const { runs, workers } = parts;

  async function find({ userId, role }: Principal, id: number): Promise<StoredRun> {
    const run = await runs.find(id);
    if (run === null || (run.userId !== userId && role !== "admin")) {
      throw new AppError("backtest_not_found", `There is no backtest ${id}`);
    }
    return run;
  }

  return {
    list: ({ userId, role }, filter, limit) => runs.list(role === "admin" ? null : userId, filter, limit),
    find,
    async tableOf(principal, id, table) {
      const { trades, figures } = drawnReport.parse((await find(principal, id)).report);
      if (table === "equity") return equityTable(await runs.loadColumns(id));
      const isFolded = trades?.some((trade) => "fold" in trade) ?? false;
      const ofTrades = isFolded ? ["fold", ...TRADE_COLUMNS] : TRADE_COLUMNS;
      const [rows, columns] = table === "trades" ? [trades, ofTrades] : [figures, FIGURE_COLUMNS];
      if (rows === undefined) throw absent(table === "trades" ? "list of trades" : "figures");
      return stringify(rows, { header: true, columns: [...columns], cast: { boolean: String } });
    },
    async draw(principal, id, plot) {
      const run = await find(principal, id);
      return workers.run(DRAW, await plotOrder(parts, run, drawnReport.parse(run.report), plot));
    },
  };
}

/** Equity and benchmark at the closes of the bars that are kept, by the open of each; empty where there is no benchmark. */
function equityTable(columns: RunColumns | null): string {
  if (columns === null) throw absent("equity");
  const { time, equity, benchmark } = columns;
  const rows = Array.from(time, (at, i) => [
    isoTime(at),
    equity[i],
    Number.isNaN(benchmark[i]) ? "" : benchmark[i],
  ]);
  return stringify(rows, { header: true, columns: ["bar", "equity", "benchmark"] });
}

function absent(what: string): AppError {
  return new AppError("no_data", `This run has no ${what}`);
}

async function plotOrder(
  parts: SeriesParts & { runs: RunStore },
  run: StoredRun,
  report: DrawnReport,
  plot: PlotName,
): Promise<PlotOrder> {
  const { period, strategy, symbols = [], terms, months, folds } = report;
  const name = strategy?.name ?? run.strategy;
  const span = period === undefined ? "" : `, ${period.start.slice(0, 10)} to ${period.end.slice(0, 10)}`;
  const title = `${name}: ${symbols.join(", ")}`;
  const text = { title, subtitle: `${plot}, ${run.interval} bars${span}` };
  if (plot === "months") {
    if (months === undefined) throw absent("returns by month");
    return { text, plot, months };
  }
  if (plot === "folds") {
    if (folds === undefined) throw absent("folds");
    return { text, plot, measure: report.objective ?? "score", folds: folds.map(foldOf) };
  }
  if (terms === undefined) throw absent("equity");
  const { currency, initial_capital: capital } = terms;
  if (plot === "trades") return { text, plot, currency, ...(await drawnTrades(parts, run.interval, report)) };
  const columns = await parts.runs.loadColumns(run.id);
  if (columns === null) throw absent("equity");
  const benchmark = columns.benchmark.some((each) => !Number.isNaN(each)) ? "benchmark" : null;
  return { text, plot, columns, capital, currency, benchmark };
}

function foldOf({ train, test, train_score, test_score }: NonNullable<DrawnReport["folds"]>[number]) {
  return {
    trainFromMs: Date.parse(train.start),
    trainToMs: Date.parse(train.end),
    testFromMs: Date.parse(test.start),
    testToMs: Date.parse(test.end),
    trainResult: train_score,
    testResult: test_score,
  };
}

/** Trades of the first symbol on its candles as they are stored now. */
async function drawnTrades(
  { candles, instruments }: SeriesParts,
  interval: Interval,
  { symbols = [], trades, period }: DrawnReport,
) {
  if (trades === undefined || period === undefined || symbols.length === 0) throw absent("list of trades");
  const [symbol] = symbols;
  const instrument = await instruments.resolve(symbol);
  const set = await candles.loadRange(
    instrument,
    interval,
    Date.parse(period.start),
    Date.parse(period.end) + 1,
  );
  const { time } = set.candles;
  const last = time.length - 1;
  if (last < 0) throw absent("candles any more");
  const placeOf = (date: string) => Math.min(last, lowerBound(time, Date.parse(date)));
  const drawn = trades
    .filter((trade) => trade.symbol === symbol)
    .map(({ side, entry_date, entry_price, exit_date, exit_price }) => ({
      direction: side === "long" ? (1 as const) : (-1 as const),
      entryAt: placeOf(entry_date),
      entry: entry_price,
      exitAt: exit_date === null ? null : placeOf(exit_date),
      exit: exit_price,
      stop: null,
    }));
  return { candles: set.candles, trades: drawn };
}
