import type { TabularModel } from "../../core/learning/tabular.js";
import { ANY, type Purpose } from "./store.js";

/** What decides which group of a model a pattern is scored by. */
export interface Moment {
  readonly regime: string | null;
  readonly pattern: string;
}

/** Group of a model that a moment belongs to; empty where it has none of its own. */
export function groupOf(
  { trees }: TabularModel,
  grouping: Purpose["grouping"],
  { regime, pattern }: Moment,
): string {
  const key = grouping === "pattern" ? pattern : (regime ?? "");
  return trees.groups.has(key) ? key : "";
}

/**
 * A model by pattern counts where it knows the pattern, one by regime where it knows the regime; else what all of an
 * asset class and interval share, then what everything shares. @param serving the most specific first.
 */
export function chosenOf<
  Each extends { readonly version: Pick<Purpose, "assetClass">; readonly group: string },
>(serving: readonly Each[]): Each | undefined {
  const grouped = ({ group }: Each) => group !== "";
  const own = serving.filter(({ version }) => version.assetClass !== ANY);
  return own.find(grouped) ?? own.at(-1) ?? serving.find(grouped) ?? serving.at(-1);
}
