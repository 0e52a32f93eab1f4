import type { CandleService } from "../candles/candles.js";
import { RECENT_BARS } from "../signals/look.js";
import { loadOutcome, type Outcome } from "./outcome.js";
import type { Subject } from "./subject.js";

/** How the trade on a subject stands now, whatever was known when its bar closed. */
export interface Standing {
  readonly outcome: Outcome;
  /** Since its bar closed, ms. */
  readonly ageMs: number;
  /** Whether newer bars should exist, so that nothing tells how it stands. */
  readonly stale: boolean;
  /** Whether the open at which it was to be entered has passed more than a few bars ago. */
  readonly late: boolean;
}

export async function loadStanding(
  parts: { readonly candles: Pick<CandleService, "loadRange" | "loadLatest">; readonly now: () => number },
  { detection, instrument }: Pick<Subject, "detection" | "instrument">,
): Promise<Standing> {
  const { interval, barTime, closedAt } = detection;
  const [outcome, { candles, stale }] = await Promise.all([
    loadOutcome(parts.candles, detection, instrument),
    parts.candles.loadLatest(instrument, interval, RECENT_BARS + 1),
  ]);
  const late = candles.time.length > RECENT_BARS && barTime < candles.time[0];
  return { outcome, ageMs: Math.max(0, parts.now() - closedAt), stale, late };
}

const ENDS: Readonly<Record<Outcome["status"], string | null>> = {
  target: "it reached its target",
  stop: "it reached its stop",
  time: "its time ran out",
  void: "the open that was to be its entry lay beyond the stop or the target",
  open: null,
  none: null,
};

/** Since when the trade is over and how it ended; null while it is open, and without one. */
export function endOf({ outcome: { status, exitTime, r } }: Standing): string | null {
  const end = ENDS[status];
  if (end === null) return null;
  const since = exitTime === null ? "" : ` since the bar of ${new Date(exitTime).toISOString()}`;
  return `over${since}: ${end}${r === null ? "" : `, ${r.toFixed(2)} R after costs`}`;
}

/** Why a trade is not to be entered now; null where it may be. */
export function entryClosed(standing: Standing): string | null {
  const end = endOf(standing);
  if (end !== null) return `The trade on it is ${end}`;
  if (standing.stale)
    return "Prices are older than they should be, so that nothing tells how the trade stands";
  if (!standing.late) return null;
  return `The open at which it was to be entered passed more than ${RECENT_BARS} bars ago`;
}

const MINUTE_MS = 60_000;

/** An age in the unit that suits it. */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}
