import type { Convention } from "./conventions.js";

/** `share` is 0.01 for one per cent; `money` is in the unit of the track; `ratio` has none. */
export type FigureUnit = "share" | "money" | "ratio" | "count" | "bars" | "days";

/** A figure of a report: what it is called, what it is in and how it is defined. */
export interface FigureRow {
  readonly name: string;
  readonly title: string;
  readonly unit: FigureUnit;
  /** One for all conventions, or one for each. */
  readonly definition: string | Readonly<Record<Convention, string>>;
  /** How it is read as that of a year; null where it is not. */
  readonly annualised: string | Readonly<Record<Convention, string>> | null;
}

/** A return is that of a trading day, or of a week where bars are weeks. */
const YEAR = "the returns of a year";
const YEAR_OVER_ALL = "the returns of a year over all returns";
const ROOT = `times the root of ${YEAR}`;

/** All figures of a report in the order they are printed. */
export const FIGURES = [
  row("capital", "Capital", "money", "What was begun with."),
  row("final_equity", "Final equity", "money", "Cash and worth of the positions at the last close."),
  row("peak_equity", "Peak equity", "money", "The highest equity at a close."),
  row("total_return", "Return", "share", "Final equity over capital, less 1."),
  row(
    "benchmark_return",
    "Buy and hold",
    "share",
    "Last close of the benchmark over the one it is bought at, less 1.",
  ),
  row(
    "annual_return",
    "Annual return",
    "share",
    {
      textbook: "Growth of the equity by day, the first day's with it.",
      compound: "Geometric mean of the returns of days, from the second day on.",
    },
    { textbook: `to the power of ${YEAR_OVER_ALL}`, compound: `to the power of ${YEAR}` },
  ),
  row(
    "cagr",
    "CAGR",
    "share",
    "Growth of the equity over the time from the first bar to the last.",
    "to the power of 1 over the years, of 365.25 days each",
  ),
  row(
    "volatility",
    "Volatility",
    "share",
    {
      textbook: "Standard deviation of the returns of days, over n - 1.",
      compound:
        "Standard deviation of the product of a year's returns: root of (variance + g^2)^N - g^(2N), g being 1 + their geometric mean.",
    },
    { textbook: ROOT, compound: `N is ${YEAR}` },
  ),
  row(
    "sharpe",
    "Sharpe ratio",
    "ratio",
    {
      textbook:
        "Mean of the returns of days beyond the rate without risk over the standard deviation of that, over n - 1 (W. Sharpe 1994).",
      compound: "Annual return less the rate without risk over the volatility.",
    },
    { textbook: ROOT, compound: "by its parts" },
  ),
  row(
    "sortino",
    "Sortino ratio",
    "ratio",
    {
      textbook:
        "Mean of the returns of days beyond the rate without risk over the root of the mean square of those below it.",
      compound:
        "Annual return less the rate without risk over the root of the mean square of the returns below 0.",
    },
    { textbook: ROOT, compound: `the divisor times the root of ${YEAR}` },
  ),
  row("calmar", "Calmar ratio", "ratio", "Annual return over the largest drawdown.", "by its parts"),
  row(
    "omega",
    "Omega ratio",
    "ratio",
    "What returns of days gained beyond the rate without risk over what they fell short of it.",
  ),
  row("ulcer", "Ulcer index", "share", "Root of the mean square of the drawdown at the end of each day."),
  row("skewness", "Skewness", "ratio", "Third moment of the returns of days; 0 of a normal distribution."),
  row("kurtosis", "Kurtosis", "ratio", "Fourth moment of the returns of days; 3 of a normal distribution."),
  row(
    "alpha",
    "Alpha",
    "share",
    {
      textbook:
        "Mean of what beta leaves of the returns of days beyond the rate without risk (M. Jensen 1968).",
      compound: "What beta leaves of the return of the whole time beyond the rate without risk.",
    },
    { textbook: `compounded over ${YEAR}`, compound: "not annualised" },
  ),
  row("beta", "Beta", "ratio", {
    textbook:
      "Covariance with the benchmark over its variance, of returns of days beyond the rate without risk.",
    compound: "Covariance with the benchmark over its variance, of logarithmic returns bar by bar.",
  }),
  row("max_drawdown", "Largest drawdown", "share", "Deepest fall at a close below the highest close before."),
  row(
    "average_drawdown",
    "Average drawdown",
    "share",
    "Mean of the deepest point of each fall below a peak.",
  ),
  row(
    "max_drawdown_bars",
    "Longest drawdown",
    "bars",
    "From a peak until it is reached again, or to the end.",
  ),
  row("average_drawdown_bars", "Average length of drawdowns", "bars", "Mean of the same over all falls."),
  row("max_drawdown_days", "Longest drawdown", "days", "The same in days as they go."),
  row("average_drawdown_days", "Average length of drawdowns", "days", "Mean of the same over all falls."),
  row(
    "exposure",
    "Exposure",
    "share",
    "Share of bars on which anything was held, with those of entries and exits.",
  ),
  row("gross_exposure", "Gross exposure", "share", "Mean worth of positions without sign over the equity."),
  row("net_exposure", "Net exposure", "share", "Mean worth of positions with its sign over the equity."),
  row(
    "turnover",
    "Turnover",
    "ratio",
    "Half of what was bought and sold over the mean equity.",
    "over the years from the first bar to the last, of 365.25 days each",
  ),
  row("trades", "Trades", "count", "Trades that were closed."),
  row("win_rate", "Win rate", "share", "Trades whose net is above 0 over all."),
  row("best_trade", "Best trade", "share", "Highest net of a trade over what was put into it."),
  row("worst_trade", "Worst trade", "share", "Lowest net of a trade over what was put into it."),
  row("average_trade", "Average trade", "share", "Geometric mean of the returns of trades."),
  row("expectancy", "Expectancy", "money", "Mean net of a trade."),
  row("expectancy_return", "Expectancy", "share", "Mean of the returns of trades."),
  row("max_trade_days", "Longest trade", "days", "From entry to exit, in days as they go."),
  row("average_trade_days", "Average length of trades", "days", "Mean of the same."),
  row("profit_factor", "Profit factor", "ratio", {
    textbook: "Net of winning trades over that of losing ones.",
    compound: "Sum of the returns of winning trades over that of losing ones.",
  }),
  row("payoff", "Payoff", "ratio", "Average win over average loss."),
  row("sqn", "SQN", "ratio", {
    textbook:
      "Mean return of trades over their standard deviation, times the root of their number (V. Tharp 2008).",
    compound: "Mean net of trades over their standard deviation, times the root of their number.",
  }),
  row("kelly", "Kelly", "share", "Win rate less loss rate over payoff (J. Kelly 1956)."),
] as const;

export type FigureName = (typeof FIGURES)[number]["name"];

function row<N extends string>(
  name: N,
  title: string,
  unit: FigureUnit,
  definition: FigureRow["definition"],
  annualised: FigureRow["annualised"] = null,
): FigureRow & { readonly name: N } {
  return { name, title, unit, definition, annualised };
}

/** Definition and annualisation of a figure in the words of one convention. */
export function wordsOf(
  { definition, annualised }: FigureRow,
  convention: Convention,
): { readonly definition: string; readonly annualised: string | null } {
  const said = <T extends string | null>(words: T | Readonly<Record<Convention, string>>): T | string =>
    typeof words === "object" && words !== null ? words[convention] : words;
  return { definition: said(definition), annualised: said(annualised) };
}
