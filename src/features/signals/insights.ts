import type { RiskLevel } from "../regimes/advice.js";
import { riskOf } from "../regimes/advice.js";
import type { RegimeReading } from "../regimes/regimes.js";
import { judge } from "./entries.js";
import type { SeenPattern } from "./look.js";
import type { Found, Reading } from "./reading.js";

export const STRENGTHS = ["very_strong", "strong", "moderate", "weak"] as const;
export type Strength = (typeof STRENGTHS)[number];

/** Strength in words of a share of 0..1: from 0.8, 0.7 and 0.6 on, and below. */
export function strengthOf(share: number): Strength {
  if (share >= 0.8) return "very_strong";
  if (share >= 0.7) return "strong";
  return share >= 0.6 ? "moderate" : "weak";
}

/** How many of each strength there are. */
export function countStrengths(shares: readonly number[]): Record<Strength, number> {
  const counts = { very_strong: 0, strong: 0, moderate: 0, weak: 0 };
  for (const share of shares) counts[strengthOf(share)]++;
  return counts;
}

export const sharesOf = (patterns: readonly SeenPattern[]) => patterns.map((pattern) => judge(pattern).value);

export const RISKS = ["LOW", "MEDIUM", "HIGH"] as const;
const LEVELS: Readonly<Record<RiskLevel, number>> = { low: 0, medium: 1, high: 2, extreme: 2 };

/**
 * Risk of the regime and its volatility, one step higher where layers or intervals contradict each other. Null where
 * the regime is not known.
 */
export function riskLevel(
  { decision, timeframes }: Reading,
  regime: Found<RegimeReading>,
): (typeof RISKS)[number] | null {
  if (regime.value === null) return null;
  const contradicts = decision.reasons.some(({ code }) => code === "layers_contradict");
  const step = contradicts || timeframes.divergence === true ? 1 : 0;
  const level = LEVELS[riskOf(regime.value.regime, regime.value.volatilityLevel)];
  return RISKS[Math.min(2, level + step)];
}
