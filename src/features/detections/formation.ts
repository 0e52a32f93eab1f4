import type { Candles } from "../../core/market/candles.js";
import type { Check, Formation } from "../../core/patterns/define.js";

/** A formation as it is stored: its bars by the epoch ms of their opens, which hold in every window. */
export interface StoredFormation {
  readonly formedTime: number;
  readonly points: readonly { role: string; time: number; price: number; knownTime: number }[];
  readonly boundaries: readonly { role: string; from: Place; to: Place }[];
  readonly trigger: number | null;
  readonly target: number | null;
  readonly stop: number | null;
  readonly rewardRisk: number | null;
  readonly checks: readonly Check[];
}

interface Place {
  readonly time: number;
  readonly price: number;
}

/** The formation of a window of candles with times in place of indexes. */
export function storedFormation(formation: Formation, { time }: Candles): StoredFormation {
  const { formedAt, points, boundaries, ...levels } = formation;
  const place = ({ at, price }: { at: number; price: number }): Place => ({ time: time[at], price });
  return {
    formedTime: time[formedAt],
    points: points.map(({ role, at, price, knownAt }) => ({
      role,
      time: time[at],
      price,
      knownTime: time[knownAt],
    })),
    boundaries: boundaries.map(({ role, from, to }) => ({ role, from: place(from), to: place(to) })),
    ...levels,
  };
}
