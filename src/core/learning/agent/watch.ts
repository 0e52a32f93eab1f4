import { meanOf } from "../../base/stats.js";
import { DAY_MS } from "../../market/day.js";
import { resample, studentBounds } from "../auc-error.js";
import { decayLookAt } from "../watch.js";
import { holdPolicy } from "./evaluate.js";
import { type Agent, policyOf } from "./policy.js";
import type { AgentMarket } from "./state.js";
import { runStretch } from "./stretch.js";

/** What is asked of an active agent by what its decisions come to on bars that closed since it was made. */
export interface AgentWatchTerms {
  /** Newest days of UTC that are looked at, and days below which nothing is said, and from one look to the next. */
  readonly days: number;
  readonly least: number;
  /** Chance that any look ever takes back one that is as good as holding; of one look, what that may spend. */
  readonly level: number;
  readonly seed: number;
  readonly draws: number;
}

export const AGENT_WATCH: AgentWatchTerms = Object.freeze({
  days: 60,
  least: 20,
  level: 0.05,
  seed: 1,
  draws: 1_000,
});

/** A look at the days of UTC in [fromMs, toMs), with the chance of an error that it may spend. */
export interface AgentLook {
  readonly fromMs: number;
  readonly toMs: number;
  readonly level: number;
}

/**
 * The latest look that is due a day after the last of its days, by when the bars have come: one after each so many days since
 * the day on which the agent was made, at the levels of `decayLookAt`. Null before the first.
 */
export function agentLookAt(
  madeMs: number,
  nowMs: number,
  terms: AgentWatchTerms = AGENT_WATCH,
): AgentLook | null {
  const first = Math.floor(madeMs / DAY_MS) + 1;
  const days = Math.floor(nowMs / DAY_MS) - 1 - first;
  if (days < terms.least) return null;
  const decidedAt = Float64Array.from({ length: days }, (_, day) => day);
  const settledAt = decidedAt.map((day) => day + 0.5);
  const asked = { ...terms, window: terms.days, leastAuc: 0.5, mostCalibrationError: 1 };
  const { from, to, level } = decayLookAt({ decidedAt, settledAt }, asked);
  return { fromMs: DAY_MS * (first + from), toMs: DAY_MS * (first + to), level };
}

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
 * by Student's bound over blocks of days: markets move together, so that all series of a day are one observation.
 * @param terms whose level is what one look may spend. @returns null where there are too few days.
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
  const { ahead, aheadHigh } = aheadOf(gains, terms);
  return {
    ...{ samples, series: watched.length, days: newest.length },
    ...{ agent: meanOf(own), hold: meanOf(held), ahead, aheadHigh },
    reason: aheadHigh < 0 ? "behind_hold" : null,
  };
}

/** Mean of what days gained, and the most that it is at the level of a look. */
export function aheadOf(
  gains: Float64Array,
  { seed, draws, level }: Pick<AgentWatchTerms, "seed" | "draws" | "level">,
): Pick<AgentDecay, "ahead" | "aheadHigh"> {
  const ahead = meanOf(gains);
  const found = resample({ labels: gains }, { seed, draws }, ahead, (weights) => {
    let sum = 0;
    for (let day = 0; day < gains.length; day++) sum += weights[day] * gains[day];
    return sum / gains.length;
  });
  return { ahead, aheadHigh: studentBounds(found, level).high };
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
