import { lacksOf, type Strategy } from "../strategies/define.js";
import { resolveValues, type Values } from "../strategies/parameters.js";
import type { Listing } from "./rules.js";

/** The values of a run, or all that is in its way. */
export type Readiness =
  | { readonly values: Values; readonly problems: null }
  | { readonly values: null; readonly problems: readonly string[] };

/** Whether a strategy can be run with these values over these symbols. */
export function readyFor(strategy: Strategy, listings: readonly Listing[], given: Values): Readiness {
  const { values, problems } = resolveValues(strategy.parameters, given);
  const all = [...problems];
  if (problems.length === 0) all.push(...strategy.problems(values));
  if (listings.length === 0) all.push("needs a symbol at least");
  const series = listings.map(({ candles }) => candles);
  if (new Set(series.map(({ symbol }) => symbol)).size < series.length) all.push("names a symbol twice");
  all.push(...lacksOf(strategy, listings));
  const intervals = new Set(series.map(({ interval }) => interval));
  if (problems.length === 0)
    all.push(...[...intervals].flatMap((each) => strategy.misfit(each, values) ?? []));
  return all.length === 0 ? { values, problems: null } : { values: null, problems: all };
}
