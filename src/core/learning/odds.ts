/** Chance of log-odds. */
export function sigmoid(odds: number): number {
  if (odds >= 0) return 1 / (1 + Math.exp(-odds));
  const ratio = Math.exp(odds);
  return ratio / (1 + ratio);
}

/** Chances are kept so far from 0 and 1. */
const LEAST = 1e-12;

/** A chance that is neither 0 nor 1. */
export function keptChance(chance: number): number {
  return Math.min(1 - LEAST, Math.max(LEAST, chance));
}

/** Log-odds of a chance, finite for 0 and 1 too. */
export function logOdds(chance: number): number {
  const kept = keptChance(chance);
  return Math.log(kept / (1 - kept));
}
