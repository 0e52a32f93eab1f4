import type { RunTrade } from "./run-trades.js";

/** Closed trades that have something in common. Money in the account's currency. */
export interface TradeGroup {
  readonly key: string;
  readonly trades: number;
  /** Share of them with a net above 0. */
  readonly winRate: number;
  readonly net: number;
  readonly meanGain: number | null;
  /** Net of those that won over that of those that lost; null without a loss. */
  readonly profitFactor: number | null;
}

export interface Breakdown {
  readonly byRegime: readonly TradeGroup[];
  readonly byPattern: readonly TradeGroup[];
  readonly bySymbol: readonly TradeGroup[];
  /** Why they were entered, and why they were left. */
  readonly byReason: readonly TradeGroup[];
  readonly byExitReason: readonly TradeGroup[];
}

export function breakdownOf(trades: readonly RunTrade[]): Breakdown {
  const closed = trades.filter(({ exitMs }) => exitMs !== null);
  return {
    byRegime: groupsOf(closed, ({ regime }) => regime ?? "unknown"),
    byPattern: groupsOf(
      closed.filter(({ pattern }) => pattern !== null),
      ({ pattern }) => pattern ?? "none",
    ),
    bySymbol: groupsOf(closed, ({ symbol }) => symbol),
    byReason: groupsOf(closed, ({ entryReason }) => entryReason ?? "none"),
    byExitReason: groupsOf(closed, ({ exitReason }) => exitReason ?? "none"),
  };
}

/** In the order of their first trades. */
function groupsOf(trades: readonly RunTrade[], keyOf: (trade: RunTrade) => string): TradeGroup[] {
  const groups = new Map<string, RunTrade[]>();
  for (const trade of trades) groups.set(keyOf(trade), [...(groups.get(keyOf(trade)) ?? []), trade]);
  return [...groups].map(([key, all]) => {
    const won = all.filter(({ net }) => net > 0);
    const sum = (of: readonly RunTrade[]) => of.reduce((total, { net }) => total + net, 0);
    const lost = -sum(all.filter(({ net }) => net < 0));
    const gains = all.flatMap(({ gain }) => gain ?? []);
    return {
      key,
      trades: all.length,
      winRate: won.length / all.length,
      net: sum(all),
      meanGain: gains.length === 0 ? null : gains.reduce((a, b) => a + b, 0) / gains.length,
      profitFactor: lost === 0 ? null : sum(won) / lost,
    };
  });
}
