import { meanOf, quantileOf } from "../../base/stats.js";
import { DAY_MS } from "../../market/day.js";
import { resample } from "../auc-error.js";
import { holdPolicy } from "./evaluate.js";
import { type Agent, policyOf } from "./policy.js";
import type { AgentMarket } from "./state.js";
import { runStretch } from "./stretch.js";

/** What is asked of an active agent by what its decisions come to on bars that closed since it was made. */
export interface AgentWatchTerms {
  /** Newest days of UTC that are looked at, and days below which nothing is said. */
  readonly days: number;
  readonly least: number;
  /** Chance, both ends together, by which the interval leaves 0 out. */
  readonly level: number;
  readonly seed: number;
  readonly draws: number;
}

export const AGENT_WATCH: AgentWatchTerms = Object.freeze({
  days: 60,
  least: 20,
  level: 0.01,
  seed: 1,
  draws: 1_000,
});

/** Bars of a series, and from which close on it is decided: the first one after the agent was made. */
export interface WatchedSeries {
  readonly market: AgentMarket;
  /** Opens of the bars, epoch ms. */
  readonly time: Float64Array;
  readonly from: number;
}

/** How an agent does of late beside holding, day by day; logarithms of growth after costs, means of series. */
export interface AgentDecay {
  /** Decisions, one at each close. */
  readonly samples: number;
  readonly series: number;
  readonly days: number;
  /** A day, of the agent and of holding. */
  readonly agent: number;
  readonly hold: number;
  /** Of the agent less that of holding, and the most that it is. */
  readonly ahead: number;
  readonly aheadHigh: number;
  /** Null while it may stay. */
  readonly reason: "behind_hold" | null;
}

/**
 * Trades each series on paper as the agent decides at every close, from flat, filled at the next open, with the costs that
 * it was trained with, beside holding from the same close. It is to be taken back where it is behind holding beyond chance,
 * by a bootstrap over blocks of days: markets move together, so that all series of a day are one observation.
 * @returns null where there are too few days.
 */
export function judgeAgentDecay(
  agent: Agent,
  watched: readonly WatchedSeries[],
  terms: AgentWatchTerms = AGENT_WATCH,
): AgentDecay | null {
  const byDay = new Map<number, { agent: number; hold: number; series: number }>();
  let samples = 0;
  for (const { market, time, from } of watched) {
    const stretch = { market, from: Math.max(from, market.first), to: time.length };
    if (stretch.to - stretch.from < 2) continue;
    const own = runStretch(stretch, policyOf(agent), agent.terms).returns;
    const held = runStretch(stretch, holdPolicy, agent.terms).returns;
    samples += own.length;
    for (const [day, part] of partsByDay(own, held, time, stretch.from + 1)) {
      const sum = byDay.get(day) ?? { agent: 0, hold: 0, series: 0 };
      byDay.set(day, { agent: sum.agent + part.agent, hold: sum.hold + part.hold, series: sum.series + 1 });
    }
  }
  const newest = [...byDay].sort(([a], [b]) => a - b).slice(-terms.days);
  if (newest.length < terms.least) return null;
  const column = (of: "agent" | "hold") => Float64Array.from(newest, ([, sum]) => sum[of] / sum.series);
  const [own, held] = [column("agent"), column("hold")];
  const gains = own.map((value, day) => value - held[day]);
  const ahead = meanOf(gains);
  const labels = new Float64Array(gains.length);
  const { draws } = resample({ labels }, { seed: terms.seed, draws: terms.draws }, ahead, (weights) => {
    let sum = 0;
    for (let day = 0; day < gains.length; day++) sum += weights[day] * gains[day];
    return sum / gains.length;
  });
  const aheadHigh = quantileOf(draws, 1 - terms.level / 2);
  return {
    ...{ samples, series: watched.length, days: newest.length },
    ...{ agent: meanOf(own), hold: meanOf(held), ahead, aheadHigh },
    reason: aheadHigh < 0 ? "behind_hold" : null,
  };
}

/** Growth of both by day of the bar's open. @param first bar of the first of the returns. */
function partsByDay(
  own: Float64Array,
  held: Float64Array,
  time: Float64Array,
  first: number,
): Map<number, { agent: number; hold: number }> {
  const parts = new Map<number, { agent: number; hold: number }>();
  for (let k = 0; k < own.length; k++) {
    const day = Math.floor(time[first + k] / DAY_MS);
    const part = parts.get(day);
    if (part === undefined) parts.set(day, { agent: own[k], hold: held[k] });
    else {
      part.agent += own[k];
      part.hold += held[k];
    }
  }
  return parts;
}
