import { attributeWindow } from "../../core/learning/sequence-net/attribution.js";
import { NET_COLUMNS, WINDOW_BARS, windowAt } from "../../core/learning/sequence-net/columns.js";
import type { SequenceNet } from "../../core/learning/sequence-net/net.js";
import { SHAPES, type ShapeName } from "../../core/learning/shapes.js";
import type { Candles } from "../../core/market/candles.js";

export interface ExplainTask {
  readonly candles: Candles;
  readonly net: SequenceNet;
  /** Bar that the window ends at. */
  readonly at: number;
  readonly shape: ShapeName;
}

/** What moved the logit of a shape from that of a flat window: all of it sums to the difference. */
export interface DeepExplanation {
  readonly base: number;
  readonly logit: number;
  /** Summed over bars, in the order of `NET_COLUMNS`. */
  readonly columns: readonly number[];
  /** Summed over columns, by bar, oldest first. */
  readonly bars: readonly number[];
}

/** Explains one window in a thread: a quarter of a second for most, two seconds at the most. Null without a window. */
export default function explain({ candles, net, at, shape }: ExplainTask): DeepExplanation | null {
  const window = windowAt(candles, at);
  if (window === null) return null;
  const { base, logit, parts } = attributeWindow(net, window, SHAPES.indexOf(shape));
  const columns = NET_COLUMNS.map(() => 0);
  const bars = Array.from({ length: WINDOW_BARS }, () => 0);
  for (let i = 0; i < parts.length; i++) {
    columns[i % NET_COLUMNS.length] += parts[i];
    bars[Math.floor(i / NET_COLUMNS.length)] += parts[i];
  }
  return { base, logit, columns, bars };
}
