import { describe, expect, it } from "vitest";
import { runBrief } from "../../src/core/backtest/brief.js";
import { maskProblem } from "../../src/core/backtest/mask-run.js";
import { type Holding, randomEntries, randomMasks } from "../../src/core/backtest/random-entries.js";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { randomPath } from "../../src/features/backtests/stress-worker.js";
import { type RunTerms, rulesOf } from "../../src/features/backtests/terms.js";
import { trialOf } from "../../src/features/backtests/trial.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { RUN_TERMS } from "../fixtures/run-terms.js";

const TERMS: RunTerms = { ...RUN_TERMS, spreadBps: 2 };

/** Terms and holdings that differ from case to case. */
function caseOf(seed: number) {
  const rng = createRng(seed, 5);
  const terms: RunTerms = {
    ...TERMS,
    capital: rng.below(8) === 0 ? 60 : 1_000 + rng.below(100_000),
    commissionBps: rng.below(2) * 7,
    commissionPerShare: 0,
    slippageBps: rng.below(3) * 5,
    sizing: rng.below(2) === 0 ? "whole" : "fractional",
    closing: rng.below(2) === 0 ? "mark" : "last_open",
    share: rng.below(2) === 0 ? null : 0.5,
  };
  const holdings = Array.from({ length: 1 + rng.below(12) }, (): Holding => ({ bars: rng.below(9), way: 1 }));
  return { terms, holdings, candles: wanderingCandles("AAA", "1d", 150 + rng.below(100), seed) };
}

describe("random entries of a run", () => {
  it("come to the same as masks as they do decided bar by bar, to the last bit, in 200 draws", () => {
    let trades = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { terms, holdings, candles } = caseOf(seed);
      const { length } = candles.time;
      const rules = rulesOf(terms);
      const masks = ensure(randomMasks(holdings, length, seed), "they fit");
      expect(maskProblem(rules, { candles }, masks)).toBeNull();
      const strategy = ensure(randomEntries(holdings, length, seed), "they fit");
      const brief = runBrief(strategy, [{ candles }], {}, rules);
      const trial = trialOf(brief.time, brief.equity, terms, 0);
      expect(randomPath({ holdings, terms }, [{ candles }], seed)).toEqual({
        totalReturn: trial.totalReturn,
        sharpe: trial.sample?.sharpe ?? null,
        trades: brief.trades.entryBar.length,
      });
      trades += brief.trades.entryBar.length;
    }
    expect(trades).toBeGreaterThan(600);
  });

  it("are decided bar by bar where some are short, and where fills may come in parts", () => {
    const { candles } = caseOf(1);
    const short: Holding[] = [
      { bars: 5, way: -1 },
      { bars: 5, way: 1 },
    ];
    expect(randomMasks(short, 200, 1)).toBeNull();
    const margin: RunTerms = { ...TERMS, account: "margin" };
    expect(randomPath({ holdings: short, terms: margin }, [{ candles }], 1).trades).toBe(2);
    const thin: RunTerms = { ...TERMS, volumeShare: 1e-9 };
    const long: Holding[] = [{ bars: 5, way: 1 }];
    const whole = randomPath({ holdings: long, terms: TERMS }, [{ candles }], 1);
    expect(whole.trades).toBe(1);
    expect(randomPath({ holdings: long, terms: thin }, [{ candles }], 1)).not.toEqual(whole);
  });
});
