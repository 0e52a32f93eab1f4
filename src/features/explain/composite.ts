import type { Direction } from "../../core/patterns/define.js";
import { type Badge, badgeOfComposite, badgeOfFusion } from "../../core/signals/badge.js";
import { LAYERS } from "../../core/signals/fuse.js";
import { AppError } from "../../platform/errors.js";
import type { KeptLayers } from "../alerts/layers.js";
import { leadBy } from "../signals/lead.js";
import type { Signals } from "../signals/signals.js";
import type { Subject } from "./subject.js";

/** What all layers say of a pattern in its direction. */
export interface Composite {
  /** 0..100; null where no layer was read. */
  readonly score: number | null;
  readonly badge: Badge | null;
  /** Close of the bar, as of which they were read, epoch ms. */
  readonly asOfMs: number | null;
  /** Why there is no score; null where there is. */
  readonly reason: string | null;
}

export type CompositeSource = Pick<Signals, "read">;

export function noComposite(reason: string): Composite {
  return { score: null, badge: null, asOfMs: null, reason };
}

/**
 * Of an alert, what was kept of its layers as of the close of its bar; of any other pattern what layers say now, as a signal
 * on the symbol does, while it is among the patterns of the newest bars whose trade is open.
 */
export async function compositeOf(signals: CompositeSource, subject: Subject): Promise<Composite> {
  const { alert, layers, detection, instrument } = subject;
  if (alert !== null) {
    return layers === null ? noComposite(UNREAD) : keptComposite(layers, detection.direction);
  }
  try {
    const reading = await signals.read(instrument.symbol, detection.interval);
    const pattern = reading.live.find(
      (seen) => seen.detection.pattern === detection.pattern && seen.detection.barTime === detection.barTime,
    );
    if (pattern === undefined) return noComposite(NOT_LIVE);
    const { fusion } = leadBy(reading, pattern);
    return {
      score: fusion.composite,
      badge: badgeOfFusion(fusion, detection.direction, reading.main.set.stale),
      asOfMs: reading.main.closedAt,
      reason: fusion.composite === null ? SILENT : null,
    };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    return noComposite(error.message);
  }
}

const UNREAD = "The layers of this alert have not been read";
const SILENT = "No layer says anything";
const NOT_LIVE =
  "It is not among the patterns of the newest bars whose trade is open, and of older ones layers are read of alerts alone";

function keptComposite(layers: KeptLayers, direction: Direction): Composite {
  const { composite: score, asOfMs } = layers;
  const several = LAYERS.filter((name) => layers[name] !== null).length > 1;
  const badge = badgeOfComposite(score, direction, several);
  return { score, badge, asOfMs, reason: score === null ? SILENT : null };
}
