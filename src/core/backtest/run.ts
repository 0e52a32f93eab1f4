import { assert } from "../base/assert.js";
import type { DoubtPolicy } from "../execution/context.js";
import type { Strategy } from "../strategies/define.js";
import type { Values } from "../strategies/parameters.js";
import { Engine } from "./engine.js";
import { readyFor } from "./ready.js";
import type { Backtest, Bounds } from "./result.js";
import { type BacktestRules, type Listing, PLAIN_RULES } from "./rules.js";

/**
 * Runs a strategy over bars: it decides at the close of a bar and is filled from the open of the next one on, by the
 * desk that paper trading has. The same arguments give the same result to the last bit. A run with doubtful fills is made
 * again with all of them gone the best way, and the worst where that is another, for the bounds of its equity; what is decided after them may
 * differ, and a bound is never on the other side of the headline.
 * @throws AssertionError where `readyFor` has problems.
 */
export function runBacktest(
  strategy: Strategy,
  listings: readonly Listing[],
  given: Values = {},
  rules: BacktestRules = PLAIN_RULES,
): Backtest {
  const { values, problems } = readyFor(strategy, listings, given);
  assert(values !== null, `${strategy.id}: ${problems?.join("; ") ?? ""}`);
  const run = (doubts: DoubtPolicy) => new Engine(strategy, listings, values, rules, doubts).run();
  const found = run("rule");
  return { ...found, bounds: boundsOf(found, (doubts) => run(doubts).bounds.equity) };
}

function boundsOf(
  { doubts, bounds: { equity } }: Backtest,
  equityBy: (doubts: "best" | "worst") => number,
): Bounds {
  const isBetter = doubts.some(({ optimisticMicros }) => optimisticMicros > 0);
  const isWorse = doubts.some(({ pessimisticMicros }) => pessimisticMicros < 0);
  return {
    pessimistic: isWorse ? Math.min(equity, equityBy("worst")) : equity,
    equity,
    optimistic: isBetter ? Math.max(equity, equityBy("best")) : equity,
  };
}
