import { barOpensBetween } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import type { Instrument } from "../../core/market/instrument.js";
import { calendarOf } from "../../core/market/session.js";
import type { Facts } from "../../core/strategies/facts.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import type { KnownInstrument } from "../instruments/store.js";
import { type BarScores, learnedUntil } from "../models/bar-scores.js";
import type { OpenTrees } from "../models/scoring.js";
import { type ModelVersion, nameOf } from "../models/store.js";
import type { Chosen, RunFields } from "./order.js";

/** What an order says of the models that its strategy follows. */
export type FollowOrder = Pick<RunFields, "interval" | "model_version" | "model_in_sample">;

/** The versions that a run follows, and from when on they have seen none of its bars. */
export interface Followed {
  /** In the order of the symbols; of each the most specific first. */
  readonly versions: readonly (readonly OpenTrees[])[];
  readonly fromMs: number;
  readonly notes: readonly string[];
}

/** Whether any of the strategies follows a learned model. */
const isFollowing = (chosen: readonly Chosen[]) =>
  chosen.some(({ strategy }) => strategy.needs.includes("model"));

/**
 * The models that an order follows; null for a strategy that follows none.
 * @throws {AppError} `strategy_unfit` where there are none, `invalid_request` for a version that nothing follows.
 */
export async function versionsOf(
  { barScores }: { readonly barScores: Pick<BarScores, "follow"> },
  chosen: readonly Chosen[],
  known: readonly Pick<Instrument, "assetClass">[],
  { interval, model_version }: FollowOrder,
): Promise<readonly (readonly OpenTrees[])[] | null> {
  if (!isFollowing(chosen)) {
    if (model_version === undefined) return null;
    throw new AppError("invalid_request", "body model_version: is for a strategy that follows a model");
  }
  const versions: (readonly OpenTrees[])[] = [];
  for (const { assetClass } of known) {
    versions.push(await barScores.follow({ assetClass, interval }, model_version));
  }
  return versions;
}

/**
 * The same for a stretch, which begins after what they learned from unless the order wants it otherwise.
 * @throws {AppError} as `versionsOf`, and `strategy_unfit` for a stretch that they learned from as a whole.
 */
export async function followedBy(
  parts: { readonly barScores: Pick<BarScores, "follow"> },
  chosen: readonly Chosen[],
  known: readonly KnownInstrument[],
  order: FollowOrder,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<Followed | null> {
  const versions = await versionsOf(parts, chosen, known, order);
  if (versions === null) return null;
  const all = modelsOf({ versions });
  const names = all.map((version) => `${version.version} of ${nameOf(version)}`).join(", ");
  const follows = `model_score follows version ${names}`;
  const ends = all.map(learnedUntil);
  if (ends.includes(null)) {
    const unknown = `${follows}, of which it is not known until when it learned`;
    if (!order.model_in_sample) {
      throw new AppError("strategy_unfit", `${unknown}; with model_in_sample it is run all the same`);
    }
    return { versions, fromMs, notes: [`${unknown}: it may have seen all of the stretch before`] };
  }
  const untilMs = Math.max(...ends.map((end) => end ?? 0));
  const inside = known.reduce((sum, { calendar }) => {
    const opens = barOpensBetween(calendarOf(calendar), order.interval, fromMs, Math.min(toMs, untilMs));
    return sum + (untilMs <= fromMs ? 0 : opens.length);
  }, 0);
  const learned = `${follows}, which learned from bars until ${isoTime(untilMs)}; ${inside} bars of the stretch are among them`;
  if (order.model_in_sample) {
    const seen = inside === 0 ? "" : ": what comes of those it had seen before";
    return { versions, fromMs, notes: [`${learned}${seen}`] };
  }
  if (untilMs >= toMs) {
    throw new AppError("strategy_unfit", `${learned}: nothing is left that it has not seen`);
  }
  const begun = inside === 0 ? "" : " and left out: the run begins after them";
  return { versions, fromMs: Math.max(fromMs, untilMs), notes: [`${learned}${begun}`] };
}

/** All versions that a run follows, each once. */
export function modelsOf(followed: Pick<Followed, "versions"> | null): ModelVersion[] {
  const all = followed?.versions.flat() ?? [];
  return [...new Map(all.map(({ version }) => [version.id, version])).values()];
}

/** What the versions say at the close of each bar, in the order of the symbols. */
export async function scoresOf(
  { barScores }: { readonly barScores: Pick<BarScores, "load"> },
  { versions }: Pick<Followed, "versions">,
  known: readonly KnownInstrument[],
  series: readonly Candles[],
): Promise<Facts[]> {
  const facts: Facts[] = [];
  for (const [k, candles] of series.entries()) {
    facts.push({ model_score: await barScores.load(known[k], candles, versions[k]) });
  }
  return facts;
}
