import { assert } from "../base/assert.js";
import type { Strategy } from "../strategies/define.js";
import type { Values } from "../strategies/parameters.js";
import { Engine } from "./engine.js";
import { readyFor } from "./ready.js";
import type { Backtest } from "./result.js";
import { type BacktestRules, type Listing, PLAIN_RULES } from "./rules.js";

/**
 * Runs a strategy over bars: it decides at the close of a bar and is filled from the open of the next one on, by the
 * desk that paper trading has. The same arguments give the same result to the last bit.
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
  return new Engine(strategy, listings, values, rules).run();
}
