import type { Candles } from "../../core/market/candles.js";
import { drawdownsOf } from "../../core/performance/returns.js";
import { type DrawnFold, plotFolds } from "./plots/folds.js";
import { plotDrawdown, plotEquity } from "./plots/lines.js";
import { plotMonths } from "./plots/months.js";
import type { PlotText } from "./plots/render.js";
import { type DrawnTrade, plotTrades } from "./plots/trades.js";
import type { RunColumns } from "./run-store.js";

/** A picture of a run, with what it is drawn of. */
export type PlotOrder = { readonly text: PlotText } & (
  | {
      readonly plot: "equity" | "drawdown";
      readonly columns: RunColumns;
      readonly capital: number;
      readonly currency: string;
      readonly benchmark: string | null;
    }
  | {
      readonly plot: "months";
      readonly months: readonly {
        readonly year: number;
        readonly months: readonly (number | null)[];
        readonly total: number;
      }[];
    }
  | {
      readonly plot: "trades";
      readonly candles: Candles;
      readonly trades: readonly DrawnTrade[];
      readonly currency: string;
    }
  | { readonly plot: "folds"; readonly folds: readonly DrawnFold[]; readonly measure: string }
);

/** Draws in a thread, where what draws is loaded. @returns SVG. */
export default function draw(order: PlotOrder): string {
  const { text } = order;
  switch (order.plot) {
    case "equity": {
      const { time, equity, benchmark } = order.columns;
      const named = order.benchmark === null ? null : { name: order.benchmark, equity: benchmark };
      return plotEquity(text, { time, equity, benchmark: named, bounds: null, currency: order.currency });
    }
    case "drawdown": {
      const { time, equity } = order.columns;
      return plotDrawdown(text, time, drawdownsOf(equity.map((each) => each / order.capital)));
    }
    case "months":
      return plotMonths(
        text,
        order.months.flatMap(({ year, months }) => months.map((value, k) => ({ year, month: k + 1, value }))),
        order.months.map(({ year, total }) => ({ year, value: total })),
      );
    case "trades":
      return plotTrades(text, order.candles, order.trades, order.currency);
    case "folds":
      return plotFolds(text, order.folds, order.measure);
  }
}
