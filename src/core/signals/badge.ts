import type { Direction } from "../patterns/define.js";
import type { LayerFusion } from "./fuse.js";

export const BADGES = ["ELITE", "HIGH", "GOOD", "MODERATE"] as const;
export type Badge = (typeof BADGES)[number];

/** The band a score of 0..1 falls in: from .85, .75 and .65 on, and below. */
export function badgeOf(score: number): Badge {
  if (score >= 0.85) return "ELITE";
  if (score >= 0.75) return "HIGH";
  return score >= 0.65 ? "GOOD" : "MODERATE";
}

/** Of an alert: MODERATE where it has no direction to be good in. */
export function badgeOfAlert(score: number, direction: Direction): Badge {
  return direction === 0 ? "MODERATE" : badgeOf(score);
}

/** Scores [from, to) of a badge, where there is a direction. */
export function scoresOf(badge: Badge): { readonly from: number; readonly to: number } {
  const bounds = { ELITE: [0.85, 2], HIGH: [0.75, 0.85], GOOD: [0.65, 0.75], MODERATE: [0, 0.65] } as const;
  const [from, to] = bounds[badge];
  return { from, to };
}

/** Whether one layer can agree with another: a single one agrees with nothing. */
export function severalSpeak(layers: LayerFusion["layers"]): boolean {
  return layers.filter(({ score }) => score !== null).length > 1;
}

/**
 * The badge of a fused score. None where nothing is said or the signal has no direction to be good in; MODERATE at most
 * where a single layer speaks, for it agrees with nothing, or where the prices are old.
 */
export function badgeOfFusion(
  { composite, layers }: Pick<LayerFusion, "composite" | "layers">,
  direction: Direction,
  stale: boolean,
): Badge | null {
  return badgeOfComposite(composite, direction, severalSpeak(layers) && !stale);
}

/** The same of a composite alone. @param free whether it may be more than MODERATE. */
export function badgeOfComposite(
  composite: number | null,
  direction: Direction,
  free: boolean,
): Badge | null {
  if (composite === null || direction === 0) return null;
  return free ? badgeOf(composite / 100) : "MODERATE";
}
