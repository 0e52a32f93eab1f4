import { describe, expect, it } from "vitest";
import { type Masks, maskStrategy } from "../../src/core/backtest/mask.js";
import { maskProblem, runMasks } from "../../src/core/backtest/mask-run.js";
import { type BacktestRules, PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng } from "../../src/core/base/rng.js";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import type { Costs } from "../../src/core/execution/costs.js";
import { signOf } from "../../src/core/performance/trade.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

const PAIRS = 200;

const FREE_MARGIN = { ...marginRules("USD", 1), maintenanceLong: 0, maintenanceShort: 0, initialShort: 1 };

/** Costs, sizing, closing and masks that differ from case to case. */
function caseOf(seed: number) {
  const rng = createRng(seed, 77);
  const side = seed % 2 === 0 ? "long" : "both";
  const commissions: Costs["commission"][] = [
    { kind: "none" },
    { kind: "percent", rate: 0.002, minimum: 0 },
    { kind: "per_share", amount: 0.005, minimum: 1, maximumRate: null },
    { kind: "percent", rate: 0.0005, minimum: 3 },
  ];
  const slippages: Costs["slippage"][] = [
    { kind: "none" },
    { kind: "fixed", bps: 5 },
    { kind: "volatility", share: 0.1, elseBps: 3 },
    { kind: "volume_share", impact: 0.1 },
  ];
  const rules: BacktestRules = {
    ...PLAIN_RULES,
    desk: {
      ...PLAIN_RULES.desk,
      account: side === "long" ? cashRules("USD") : FREE_MARGIN,
      costs: {
        commission: commissions[rng.below(commissions.length)],
        slippage: slippages[rng.below(slippages.length)],
        spreadBps: rng.below(2) * 4,
        jitterSeed: rng.below(3) === 0 ? seed : null,
      },
    },
    // Now and then less than a unit costs.
    capital: rng.below(10) === 0 ? 60 : 1_000 + rng.below(100_000),
    sizing: rng.below(3) === 0 ? SIZINGS.fractional : SIZINGS.whole,
    closing: rng.below(2) === 0 ? "mark" : "last_open",
  };
  const length = 60 + rng.below(240);
  const often = 0.02 + 0.4 * rng.next();
  const mask = () => Uint8Array.from({ length }, () => (rng.next() < often ? 1 : 0));
  const masks: Masks = { entries: mask(), exits: mask(), side };
  return { candles: wanderingCandles("AAA", "1d", length, seed), masks, rules };
}

describe("masks without events", () => {
  it(`trade as they do with events, to the micro, in ${PAIRS} random pairs`, () => {
    let trades = 0;
    let turned = 0;
    for (let seed = 0; seed < PAIRS; seed++) {
      const { candles, masks, rules } = caseOf(seed);
      const slow = runBacktest(maskStrategy(masks), [{ candles }], {}, rules);
      const fast = runMasks({ candles }, masks, rules);
      const barOf = (at: number | null) => (at === null ? -1 : candles.time.indexOf(at));
      const wanted = slow.trades.map((trade) => [
        barOf(trade.openedAt),
        barOf(trade.closedAt),
        signOf(trade) * trade.quantity,
        trade.entryMicros,
        trade.exitMicros,
        trade.fees,
        trade.net,
      ]);
      const { entryBar, exitBar, units, entryMicros, exitMicros, fees, net } = fast.trades;
      const columns = [entryBar, exitBar, units, entryMicros, exitMicros, fees, net];
      const found = Array.from(entryBar, (_, k) => columns.map((column) => column[k] + 0));
      expect(found, `seed ${seed}`).toEqual(wanted.map((row) => row.map((value) => value + 0)));
      expect(fast.equity, `seed ${seed}`).toEqual(slow.equity);
      expect(fast.turned).toEqual(slow.turned.map(({ bar }) => bar));
      const known = ["stake_too_small", "insufficient_buying_power"];
      expect(slow.turned.every(({ reason }) => known.includes(reason))).toBe(true);
      trades += wanted.length;
      turned += fast.turned.length;
    }
    expect(trades).toBeGreaterThan(20 * PAIRS);
    expect(turned).toBeGreaterThan(10);
  });

  it("say why they cannot where events are needed", () => {
    const { candles, masks, rules } = caseOf(1);
    const margin = { ...rules, desk: { ...rules.desk, account: marginRules("USD") } };
    expect(maskProblem(margin, { candles }, masks)).toBe("there may be margin calls");
    expect(maskProblem({ ...rules, sizing: SIZINGS.set_holdings }, { candles }, masks)).toBe(
      "entries are not sized at the open",
    );
    const happenings = [{ at: 0, kind: "split", ratio: 2 }] as const;
    expect(maskProblem(rules, { candles, happenings }, masks)).toBe("there are splits");
    expect(() => runMasks({ candles, happenings }, masks, rules)).toThrow("there are splits");
  });
});
