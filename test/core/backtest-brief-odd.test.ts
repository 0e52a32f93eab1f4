import { describe, expect, it } from "vitest";
import { briefOf, runBrief } from "../../src/core/backtest/brief.js";
import { UNBOUND_RULES } from "../../src/core/backtest/look-ahead.js";
import { type BacktestRules, PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import type { Candles } from "../../src/core/market/candles.js";
import { defineStrategy, type Stand } from "../../src/core/strategies/define.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

const candles = wanderingCandles("AAA", "1d", 60, 1);

/** The same bars, dearer by a twentieth each day. */
function rising(): Candles {
  const raised = wanderingCandles("AAA", "1d", 60, 1);
  for (const column of [raised.open, raised.high, raised.low, raised.close]) {
    for (let i = 0; i < column.length; i++) column[i] = Number((column[i] * Math.exp(i / 20)).toFixed(2));
  }
  return raised;
}

const walking = (walk: (stand: Stand<null>) => void) =>
  defineStrategy({
    ...{ id: "odd", title: "Odd", description: "Does what others do not.", parameters: {} },
    warmup: () => 0,
    declare: () => null,
    walk,
  });

const entering = (entry: object) =>
  walking((stand) => {
    if (stand.i === 5) stand.enter(1, entry);
    if (stand.i === 40) stand.exit();
  });

const turning = walking((stand) => {
  if (stand.i === 5) {
    stand.enter(-1);
    stand.enter(1);
  }
  if (stand.i === 40) stand.exit();
});

const shorting = walking((stand) => {
  if (stand.i === 5) stand.enter(-1);
  if (stand.i === 50) stand.exit();
});

const careless = walking((stand) => {
  try {
    if (stand.i === 5) stand.enter(1, { limit: 1e6 });
    if (stand.i === 59) stand.weigh(0);
  } catch {
    stand.exit();
  }
});

const lastly = walking((stand) => {
  if (stand.i === 59) stand.weigh(0.5);
});

const { desk } = PLAIN_RULES;
const drawn: BacktestRules = {
  ...PLAIN_RULES,
  desk: { ...desk, costs: { ...desk.costs, slippage: { kind: "fixed", bps: 4 }, jitterSeed: 3 } },
};
const offLot: BacktestRules = {
  ...PLAIN_RULES,
  sizing: { ...PLAIN_RULES.sizing, stake: { kind: "units", units: 14 }, lot: 10 },
};

describe("what only a desk can tell", () => {
  it.each([
    ["a stop that is no number", entering({ stop: Number.NaN }), PLAIN_RULES, candles],
    ["a target that is no number", entering({ target: Number.NaN }), PLAIN_RULES, candles],
    ["a stop of 0", entering({ stop: 0 }), PLAIN_RULES, candles],
    ["a stop below 0", entering({ stop: -3 }), PLAIN_RULES, candles],
    ["a target that nothing comes to", entering({ target: Number.POSITIVE_INFINITY }), PLAIN_RULES, candles],
    ["a stake that is not in whole lots", entering({}), offLot, candles],
    ["a second decision of a bar where slippage is drawn", turning, drawn, candles],
    ["an entry with a limit of a strategy that catches what is thrown", careless, PLAIN_RULES, candles],
    ["a weight at the last bar", lastly, PLAIN_RULES, candles],
    ["a short position that loses more than there is", shorting, UNBOUND_RULES, rising()],
  ] as const)("is told by one: %s", (_, strategy, rules, bars) => {
    const brief = runBrief(strategy, [{ candles: bars }], {}, rules);
    const whole = runBacktest(strategy, [{ candles: bars }], {}, rules);
    expect(brief.desk).not.toBeNull();
    expect(brief).toEqual(briefOf(whole, brief.desk ?? ""));
  });

  it("is not asked for the same without it", () => {
    for (const strategy of [entering({ stop: 1, target: 1e6 }), turning, shorting]) {
      const brief = runBrief(strategy, [{ candles }], {}, UNBOUND_RULES);
      expect(brief.desk).toBeNull();
      expect(brief).toEqual({
        ...briefOf(runBacktest(strategy, [{ candles }], {}, UNBOUND_RULES), ""),
        desk: null,
      });
    }
  });

  it("is no answer of a strategy that tells no next bar", () => {
    const lost = { ...entering({}), next: () => Number.NaN };
    expect(() => runBrief(lost, [{ candles }])).toThrow(/odd: the next bar at which it may act is NaN/);
  });
});
