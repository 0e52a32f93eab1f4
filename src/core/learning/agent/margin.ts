import { deviationOf, meanOf } from "../../base/stats.js";
import { type Agent, policyOf } from "./policy.js";
import { runStretch, type Stretch } from "./stretch.js";

/** Margins that are tried, in units: standard deviations of a bar's return. */
export const MARGINS = [0, 0.1, 0.2, 0.4, 0.8, 1.6] as const;

/** Stretches below which their spread says too little. */
export const LEAST_STRETCHES = 8;
/** Standard errors that a mean must be above 0: one-sided 97.5 % of the normal distribution. */
const ERRORS = 1.959963984540054;

/** What margins came to on bars that nothing else was learnt from. */
export interface HeldOut {
  readonly stretches: number;
  /** Of each margin: mean logarithm of growth of a stretch after costs, and the lower end of its interval. */
  readonly tried: readonly { readonly margin: number; readonly mean: number; readonly low: number }[];
  /** That of the highest lower end; null where none is above 0, or stretches are too few. */
  readonly margin: number | null;
}

/**
 * Chooses by how much an action must be worth more than HOLD. Worths are estimates: of several the highest is too high,
 * and where they differ by less than their errors an agent trades on noise and pays for it.
 */
export function chooseMargin(agent: Agent, stretches: readonly Stretch[]): HeldOut {
  const tried = MARGINS.map((margin) => {
    const policy = policyOf({ ...agent, margin });
    const totals = stretches.map((stretch) => runStretch(stretch, policy, agent.terms).total);
    const mean = meanOf(totals);
    return { margin, mean, low: mean - (ERRORS * deviationOf(totals)) / Math.sqrt(totals.length) };
  });
  let best: (typeof tried)[number] | null = null;
  for (const each of tried) if (each.low > (best?.low ?? 0)) best = each;
  const enough = stretches.length >= LEAST_STRETCHES;
  return { stretches: stretches.length, tried, margin: enough && best !== null ? best.margin : null };
}
