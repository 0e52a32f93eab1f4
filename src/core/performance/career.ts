import { isClosed, type Trade } from "./trade.js";

/**
 * The trades of several accounts as if they were of one: entries and exits have numbers in one sequence, by instant, and
 * those of one account stay in the order in which they were told.
 * @param accounts trades of each, in any order.
 * @returns copies, in the order of their entries.
 */
export function careerOf(accounts: readonly (readonly Trade[])[]): Trade[] {
  const steps = accounts.flatMap(stepsOf);
  steps.sort((a, b) => a.at - b.at || a.account - b.account || a.place - b.place);
  const made = new Map<Trade, Trade>();
  for (const [seq, { trade, opens }] of steps.entries()) {
    made.set(trade, opens ? { ...trade, openedSeq: seq } : { ...(made.get(trade) ?? trade), closedSeq: seq });
  }
  return [...made.values()];
}

interface Step {
  readonly trade: Trade;
  readonly opens: boolean;
  readonly seq: number;
  readonly account: number;
  at: number;
  place: number;
}

/** Entries and exits of one account in their order, none of an earlier instant than the one before. */
function stepsOf(trades: readonly Trade[], account: number): Step[] {
  const steps = trades.flatMap((trade): Step[] => {
    const entry = { trade, opens: true, account, seq: trade.openedSeq, at: trade.openedAt, place: 0 };
    return isClosed(trade)
      ? [entry, { ...entry, opens: false, seq: trade.closedSeq, at: trade.closedAt }]
      : [entry];
  });
  // A fill that turns a position closes one trade and opens another by one event.
  steps.sort((a, b) => a.seq - b.seq || Number(a.opens) - Number(b.opens));
  let latest = Number.NEGATIVE_INFINITY;
  for (const [place, step] of steps.entries()) {
    latest = Math.max(latest, step.at);
    step.at = latest;
    step.place = place;
  }
  return steps;
}
