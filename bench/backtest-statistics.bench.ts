import { FIGURES, wordsOf } from "../src/core/backtest/figures.js";
import { purgedFolds, walkForwardFolds } from "../src/core/backtest/folds.js";
import { monteCarloOfTrades, syntheticCandles } from "../src/core/backtest/monte-carlo.js";
import { probabilityOfOverfitting } from "../src/core/backtest/overfitting.js";
import { permutedBars } from "../src/core/backtest/permuted-bars.js";
import { reportOf } from "../src/core/backtest/report.js";
import { createSearch } from "../src/core/backtest/search.js";
import { createRng } from "../src/core/base/rng.js";
import { type Bench, type Case, timeCases } from "./time.js";

const BARS = 2_520;
const DAY_MS = 86_400_000;

/** Ten years of daily closes that go up and down at random. */
function walkOf(seed: number): Float64Array {
  const rng = createRng(seed);
  let level = 100;
  return Float64Array.from({ length: BARS }, () => {
    level *= 1 + 0.0003 + 0.01 * rng.normal();
    return level;
  });
}

export const bench: Bench = {
  name: "Backtest statistics",
  run() {
    const equity = walkOf(1);
    const close = walkOf(2);
    const time = equity.map((_, i) => i * DAY_MS);
    const track = { capital: equity[0], time, equity, long: equity, short: new Float64Array(BARS) };
    const year = { days: 252, riskFree: 0.02 };
    const terms = { year, dayAt: (timeMs: number) => timeMs / DAY_MS, benchmark: { close, from: 0 } };
    const cases: Case[] = (["textbook", "compound"] as const).map((convention) => ({
      name: `report of ten years, ${convention}`,
      items: 1,
      run: () => {
        reportOf(track, [], { ...terms, convention });
        for (const row of FIGURES) wordsOf(row, convention);
      },
    }));
    const returns = close.map((each, i) => each / close[Math.max(0, i - 1)] - 1);
    const trials = Array.from({ length: 1_000 }, (_, k) => {
      const rng = createRng(k);
      return returns.map((each) => (rng.next() < 0.5 ? each : -each));
    });
    cases.push({
      name: "probability of overfitting, 1,000 trials, 16 blocks",
      items: 1,
      run: () => void probabilityOfOverfitting(trials),
    });
    const columns = { time, open: close, high: close, low: close, close, volume: close };
    const candles = { symbol: "AAA", interval: "1d", ...columns } as const;
    const permuted = permutedBars([candles], { calendar: null });
    const paths = { method: "shuffle", paths: 5_000, seed: 1, ruin: 0.5 } as const;
    cases.push(
      {
        name: "5,000 orders of 250 trades",
        items: 1,
        run: () => void monteCarloOfTrades(returns.slice(0, 250), paths),
      },
      {
        name: "permuted candles of ten years",
        items: 1,
        run: () => void permuted(1, 0),
      },
      {
        name: "synthetic candles of ten years",
        items: 1,
        run: () =>
          void syntheticCandles(candles, {
            seed: 1,
            blockBars: 10,
            dayAt: (at) => Math.floor(at / 86_400_000),
          }),
      },
      {
        name: "folds of ten years: 45 combinatorial, 36 rolling",
        items: 1,
        run: () => {
          purgedFolds(BARS, { groups: 10, testGroups: 2, purge: 5, embargo: 5 });
          walkForwardFolds(BARS, { mode: "rolling", train: 252, test: 63 });
        },
      },
    );
    const dimensions = ["a", "b", "c"].map((name) => ({ name, kind: "number", min: 0, max: 1 }) as const);
    cases.push({
      name: "search over 100 points of three parameters",
      items: 1,
      run: () => {
        const search = createSearch({ dimensions }, { method: "parzen", seed: 1 });
        for (let k = 0; k < 100; k++) {
          const point = search.ask();
          if (point !== null) search.tell(point, -Math.abs(Number(point.a) - Number(point.b)));
        }
      },
    });
    const figures = timeCases(cases, 3).map(({ name, minNs }) => ({ name, value: minNs / 1e6, unit: "ms" }));
    return [{ title: "Statistics of backtests", notes: [], figures }];
  },
};
