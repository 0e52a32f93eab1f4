import { describe, expect, it } from "vitest";
import { monthlyTable, returnsBy } from "../../src/core/backtest/months.js";
import { reportOf } from "../../src/core/backtest/report.js";
import { drawdownPeriods } from "../../src/core/backtest/track.js";
import { createRng } from "../../src/core/base/rng.js";
import { dateOf, dayOf, mondayOf } from "../../src/core/market/day.js";
import { captureOf, compareReturns, onSide } from "../../src/core/performance/benchmark.js";
import type { Figure } from "../../src/core/performance/figure.js";
import {
  type DailyReturns,
  drawdownsOf,
  fallsOf,
  growthOf,
  maxDrawdown,
  performanceOf,
  returnsOfCloses,
} from "../../src/core/performance/returns.js";
import { DAY_MS, lines } from "../fixtures/recorded-backtests.js";
import { sharedPath } from "../fixtures/shared.js";

const missing = sharedPath("data", "reference") === null;
const LEAST = { days: 2, years: 0 };
const PERIODS: Readonly<Record<string, number>> = { daily: 252, weekly: 52, monthly: 12 };
const yearOf = (days: number, rate = 0) => ({ days, riskFree: (1 + rate) ** days - 1 });
const YEAR = yearOf(252);

interface Series {
  readonly index: readonly string[];
  /** Null for NaN. */
  readonly values: readonly (number | null)[];
}

interface Case {
  readonly test: string;
  readonly function: string;
  readonly args: Readonly<Record<string, string | number | undefined>>;
  readonly expected: unknown;
  readonly decimals: number;
}

/** Days that have a value. */
function known({ index, values }: Series): DailyReturns {
  const at = values.flatMap((value, i) => (value === null ? [] : [[dayOf(index[i]), value] as const]));
  return {
    day: Float64Array.from(at, ([day]) => day),
    value: Float64Array.from(at, ([, v]) => v),
    reason: null,
  };
}

const shifted = (returns: DailyReturns, by: number): DailyReturns => ({
  ...returns,
  value: returns.value.map((each) => each + by),
});

/** Numbers of one of their functions out of ours; null for NaN, undefined where a case compares two of its own. */
function ours(
  { function: name, args }: Case,
  series: Readonly<Record<string, Series>>,
): readonly (number | null)[] | number | null {
  const of = (key: string): Series => series[String(args[key])];
  const own = known(of(args.prices === undefined ? "returns" : "prices"));
  const other = known(
    of(args.benchmark === undefined ? "factor_returns" : "benchmark") ?? { index: [], values: [] },
  );
  const growth = growthOf(own.value);
  const start = Number(args.starting_value ?? 0);
  const worth = (level: number) => (start === 0 ? level - 1 : start * level);
  const pair = ({ alpha, beta }: { alpha: Figure; beta: Figure }) => [alpha.value, beta.value];
  const comparison = (side: 1 | -1 | 0) =>
    pair(compareReturns(own, side === 0 ? other : onSide(other, side), YEAR, LEAST.days));
  switch (name) {
    case "simple_returns":
      return [...returnsOfCloses({ day: own.day, close: own.value }).value];
    case "cum_returns":
      return (of("returns").values[0] === null ? [1, ...growth] : [...growth]).map(worth);
    case "cum_returns_final":
      return growth.length === 0 ? null : worth(growth[growth.length - 1]);
    case "aggregate_returns":
      return returnsBy(own, KEYS[String(args.convert_to)]).map(({ value }) => value);
    case "max_drawdown":
      return own.value.length === 0 ? null : -maxDrawdown(own).depth;
    case "annual_volatility":
      return performanceOf(own, yearOf(PERIODS[String(args.period)]), LEAST).volatility.value;
    case "sharpe_ratio": {
      const { day, value } = known(of("risk_free"));
      const rate = (at: number) => value[day.indexOf(at)];
      const excess = own.value.map((each, i) => each - rate(own.day[i]));
      return performanceOf({ ...own, value: excess }, YEAR, LEAST).sharpe.value;
    }
    case "alpha":
      return comparison(0)[0];
    case "alpha_beta":
      return comparison(0);
    case "up_alpha_beta":
      return comparison(1);
    case "down_alpha_beta":
      return comparison(-1);
    case "up_down_capture":
      return captureOf(own, other, YEAR).ratio.value;
    default:
      throw new Error(`${name} is not known`);
  }
}

const KEYS: Readonly<Record<string, (day: number) => string>> = {
  weekly: (day) => dateOf(mondayOf(day)),
  monthly: (day) => dateOf(day).slice(0, 7),
  quarterly: (day) => `${dateOf(day).slice(0, 4)} ${Math.floor((Number(dateOf(day).slice(5, 7)) - 1) / 3)}`,
  yearly: (day) => dateOf(day).slice(0, 4),
};

/** One of theirs over windows: each is the figure of a slice. */
function rolled(each: Case, series: Readonly<Record<string, Series>>): readonly unknown[] {
  const window = Number(each.args.window);
  const { returns, benchmark, factor_returns: factor } = each.args;
  const named = [returns, benchmark ?? factor].flatMap((name) => (name === undefined ? [] : [String(name)]));
  const length = Math.max(...named.map((name) => series[name].values.length));
  const single = each.function.replace("roll_", "");
  return Array.from({ length: Math.max(0, length - window + 1) }, (_, from) => {
    const cut = Object.fromEntries(
      named.map((name) => {
        const { index, values } = series[name];
        return [name, { index: index.slice(from, from + window), values: values.slice(from, from + window) }];
      }),
    );
    if (single === "up_capture" || single === "down_capture") {
      const [own, other] = [known(cut[String(returns)]), known(cut[String(factor)])];
      return captureOf(own, other, YEAR)[single === "up_capture" ? "up" : "down"].value;
    }
    if (single === "sharpe_ratio")
      return performanceOf(known(cut[String(returns)]), YEAR, LEAST).sharpe.value;
    return ours({ ...each, function: single }, cut);
  });
}

function agree(found: unknown, expected: unknown, decimals: number, told: string): void {
  if (Array.isArray(expected)) {
    if (!Array.isArray(found)) throw new Error(`${told} is no list`);
    expect(found, told).toHaveLength(expected.length);
    for (const [i, each] of expected.entries()) agree(found[i], each, decimals, `${told} ${i}`);
  } else if (expected === "NaN") expect(found ?? null, told).toBeNull();
  else expect(found, told).toBeCloseTo(Number(expected), decimals);
}

/** What their cases without a number say of two of theirs. */
function relation({ test, args }: Case, series: Readonly<Record<string, Series>>): void {
  const own = known(series[String(args.returns)] ?? { index: [], values: [] });
  const number = (name: string) => Number(args[name]);
  const sharpe = (returns: DailyReturns, required: number) =>
    performanceOf(returns, yearOf(252, required), LEAST).sharpe.value ?? Number.NaN;
  const depth = (by: number) => maxDrawdown(shifted(own, by)).depth;
  if (test === "test_max_drawdown_translation") {
    expect(depth(number("constant"))).toBeLessThanOrEqual(depth(0));
    expect(depth(-number("constant"))).toBeGreaterThanOrEqual(depth(0));
  } else if (test === "test_sharpe_translation_same") {
    const [required, by] = [number("required_return"), number("translation")];
    for (const sign of [1, -1]) {
      expect(sharpe(shifted(own, sign * by), required + sign * by)).toBeCloseTo(sharpe(own, required), 8);
    }
  } else if (test === "test_sharpe_translation_diff") {
    const [required, by, more] = ["required_return", "translation_returns", "translation_required"].map(
      number,
    );
    for (const sign of [1, -1]) {
      const away = sharpe(shifted(own, sign * by), required + sign * more) - sharpe(own, required);
      expect(Math.abs(away)).toBeGreaterThan(1e-3);
    }
  } else if (test === "test_sharpe_translation_1") {
    const [required, by] = [number("required_return"), number("translation")];
    expect(sharpe(shifted(own, by), required)).toBeGreaterThan(sharpe(own, required));
    expect(sharpe(shifted(own, -by), required)).toBeLessThan(sharpe(own, required));
  } else if (test === "test_sharpe_noise") {
    const [small, large] = ["small", "large"].map((name) => normals(0.01, number(name)));
    expect(sharpe(small, 0.001)).toBeGreaterThan(sharpe(large, 0.001));
  } else relationOfBoth(test, args, own, known(series[String(args.benchmark)] ?? { index: [], values: [] }));
}

function normals(mean: number, deviation: number): DailyReturns {
  const rng = createRng(1_000);
  const value = Float64Array.from({ length: 1_000 }, () => mean + deviation * rng.normal());
  return { day: value.map((_, i) => i), value, reason: null };
}

/** Returns of a benchmark, and own ones with a mean of `mean` that correlate with them. */
function correlated(mean: number, correlation: number): [own: DailyReturns, benchmark: DailyReturns] {
  const rng = createRng(7);
  const own = new Float64Array(1_000);
  const benchmark = own.map((_, i) => {
    const z = rng.normal();
    own[i] = mean + 0.01 * (correlation * z + Math.sqrt(1 - correlation ** 2) * rng.normal());
    return 0.001 + 0.001 * z;
  });
  const day = own.map((_, i) => i);
  return [
    { day, value: own, reason: null },
    { day, value: benchmark, reason: null },
  ];
}

function relationOfBoth(test: string, args: Case["args"], own: DailyReturns, benchmark: DailyReturns): void {
  const figures = (a: DailyReturns, b: DailyReturns) => {
    const { alpha, beta } = compareReturns(a, b, YEAR, LEAST.days);
    return { alpha: alpha.value ?? Number.NaN, beta: beta.value ?? Number.NaN };
  };
  if (test === "test_alpha_beta_translation") {
    const [a, b] = correlated(Number(args.mean_returns), 0.8);
    const by = Number(args.translation);
    const daily = (shift: number) => (figures(shifted(a, shift), b).alpha + 1) ** (1 / 252);
    expect(daily(0) - daily(-by)).toBeCloseTo(by, 8);
    expect(daily(by) - daily(0)).toBeCloseTo(by, 8);
    for (const sign of [1, -1])
      expect(figures(shifted(a, sign * by), b).beta).toBeCloseTo(figures(a, b).beta, 8);
  } else if (test === "test_alpha_beta_correlation") {
    const [less, more] = [args.corr_less, args.corr_more].map((each) =>
      figures(...correlated(0.01, Number(each))),
    );
    expect(more.beta).toBeGreaterThan(less.beta);
    expect(more.alpha).toBeLessThan(less.alpha);
  } else if (test === "test_alpha_beta_with_nan_inputs") {
    const found = figures(own, benchmark);
    expect(Number.isFinite(found.alpha) && Number.isFinite(found.beta)).toBe(true);
  } else if (test === "test_alpha_beta_equality") {
    const { alpha, beta } = compareReturns(own, benchmark, YEAR, LEAST.days);
    // Alone or together, they come out of one function.
    expect(alpha.value === null).toBe(beta.value === null);
  } else throw new Error(`${test} is not known`);
}

describe.skipIf(missing)("empyrical's own tests", () => {
  it("all 92 cases to their decimals", () => {
    const text = lines("reference", "empyrical-metric-cases.json.gz").join("\n");
    const { series, cases } = JSON.parse(text) as { series: Record<string, Series>; cases: Case[] };
    let relations = 0;
    for (const each of cases) {
      const { function: name, args, expected, decimals } = each;
      if (expected === null) {
        relations++;
        relation(each, series);
        continue;
      }
      const found = name.startsWith("roll_") ? rolled(each, series) : ours(each, series);
      // Of one return they have a column of one, and write it as a number.
      const plain = Array.isArray(found) && expected === "NaN" ? found[0] : found;
      agree(plain, expected, decimals, `${name} of ${args.returns}`);
    }
    expect([cases.length, relations]).toEqual([92, 19]);
  });
});

function closesOf(file: string, column = 1): { day: Float64Array; close: Float64Array } {
  const rows = lines("reference", file).slice(1);
  return {
    day: Float64Array.from(rows, (line) => dayOf(line.slice(0, 10))),
    close: Float64Array.from(rows, (line) => Number(line.split(",")[column])),
  };
}

/** Figures of what is bought at the first close and held. */
function heldFigures({ day, close }: { day: Float64Array; close: Float64Array }) {
  const none = new Float64Array(day.length);
  const track = {
    capital: close[0],
    time: day.map((d) => d * DAY_MS),
    equity: close,
    long: none,
    short: none,
  };
  const terms = { convention: "textbook", year: YEAR, benchmark: null, least: LEAST } as const;
  return reportOf(track, [], { ...terms, dayAt: (timeMs) => timeMs / DAY_MS }).figures;
}

describe.skipIf(missing)("ffn's own tests", () => {
  const file = "ffn-AAPL-MSFT-C-2004-2014.csv.gz";
  const between = (from: string, to: string, column = 1) => {
    const { day, close } = closesOf(file, column);
    const inside = (_: number, i: number) => day[i] >= dayOf(from) && day[i] <= dayOf(to);
    return { day: day.filter(inside), close: close.filter(inside) };
  };

  it("growth a year and largest drawdowns", () => {
    const growth = [1, 2, 3].map((column) => heldFigures(closesOf(file, column)).cagr.value);
    for (const [k, expected] of [0.44, 0.041, -0.205].entries()) expect(growth[k]).toBeCloseTo(expected, 3);
    const ten = [1, 2, 3].map((column) => {
      const { day, close } = closesOf(file, column);
      return heldFigures({ day: day.slice(0, 10), close: close.slice(0, 10) });
    });
    expect(ten[0].cagr.value).toBeCloseTo(-0.921, 3);
    for (const [k, expected] of [0.086, 0.048, 0.033].entries()) {
      expect(ten[k].max_drawdown.value).toBeCloseTo(expected, 3);
    }
  });

  it("returns of the month and the year so far", () => {
    const months = (to: string) => monthlyTable(returnsOfCloses(between("2004-12-10", to)));
    expect(months("2004-12-25").at(-1)?.months[11]).toBeCloseTo(-0.0175, 4);
    expect(months("2005-01-15").at(-1)?.months[0]).toBeCloseTo(0.0901, 4);
    const last = months("2005-02-15").at(-1);
    expect(last?.months[1]).toBeCloseTo(0.1497, 4);
    expect(last?.total).toBeCloseTo(0.3728, 4);
  });
});

describe.skipIf(missing)("E. Chan's examples", () => {
  const ige = closesOf("chan-ige.csv.gz");

  it("a Sharpe ratio of 0.7893 and a drawdown of 0.31178 over 623 days", () => {
    const { sharpe } = performanceOf(returnsOfCloses(ige), yearOf(252, 0.04 / 252));
    expect(sharpe.value).toBeCloseTo(0.7893175, 7);
    const time = ige.day.map((day) => day * DAY_MS);
    const periods = drawdownPeriods({ capital: ige.close[0], time, equity: ige.close });
    expect(Math.max(...periods.map(({ depth }) => depth))).toBeCloseTo(0.31178, 5);
    const longest = periods.toSorted((a, b) => b.days - a.days)[0];
    // Theirs ends with the last day below the peak, ours with the first one that is not.
    expect(longest.days).toBe(624);
    const lastBelow = ige.day[(longest.endBar ?? 0) - 1];
    expect(lastBelow - ige.day[longest.peakBar]).toBe(623);
  });

  it("hedged, a Sharpe ratio of 0.783681 and a drawdown of 0.0953 over 497 days", () => {
    const [own, spy] = [ige, closesOf("chan-spy.csv.gz")].map(returnsOfCloses);
    const hedged = { ...own, value: own.value.map((each, i) => (each - spy.value[i]) / 2) };
    expect(performanceOf(hedged, YEAR).sharpe.value).toBeCloseTo(0.783681, 6);
    const { depth } = maxDrawdown(hedged);
    expect(depth).toBeCloseTo(0.095293, 6);
    // He writes it as the peak over the trough.
    expect(1 / (1 - depth) - 1).toBeCloseTo(0.1053, 4);
    const falls = fallsOf(drawdownsOf(growthOf(hedged.value)));
    // He counts the days below the peak.
    expect(Math.max(...falls.map(({ length }) => length - 1))).toBe(497);
  });
});

it("a column of depths has falls of 3 and 2 bars, 7 and 4 deep", () => {
  const falls = fallsOf(Float64Array.of(0, 1, 7, 0, 4, 0, 0));
  expect(falls.map(({ length, end, depth }) => [length, end, depth])).toEqual([
    [3, 3, 7],
    [2, 5, 4],
  ]);
});
