import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import type { Principal } from "../../platform/http.js";
import type { Log } from "../../platform/log.js";
import { DEEP_HEADS, DEEP_LEARNERS, type DeepLearner, type OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import type { RetrainingLoopParts, RetrainingState, Update } from "./loop.js";
import { TREES } from "./lots.js";

const SCHEDULE: Principal = { userId: "schedule", role: "admin", anonymous: false };

/** A training that found too little is tried again after this. */
const RETRY_MS = 3_600_000;
/** Nets and agents learn anew from so many times the series that they learned from. */
const GROWTH = 2;

function tellNothingNew(log: Log, count: number): void {
  log.info({ kind: "trained", count }, "nothing new: no work, as decisions that ended were learned from");
}

function orderedUpdate(learners: number, job: number, why: string): Omit<Update, "atMs"> {
  const description = `training ${job} was ordered: ${why}`;
  return { type: "trained", count: learners, of: "learners", description };
}

/** Trainings that the loop orders by itself. */
export function createOrders(
  parts: Pick<
    RetrainingLoopParts,
    "labels" | "registry" | "log" | "now" | "order" | "orderDeep" | "seriesCount" | "mark" | "newLabels"
  >,
  save: (state: RetrainingState) => Promise<void>,
  note: (update: Omit<Update, "atMs">) => void,
) {
  const { labels, registry, log, now } = parts;

  /** Orders a training where there has been none, or enough labels are new since and there is more to learn from. */
  async function train(state: RetrainingState): Promise<void> {
    const { count } = await labels.count();
    // What was imported says nothing of whether what is stored here was learned from.
    const known = await registry.list({ learner: TREES, trainedHere: true }, 1);
    const never = known[0]?.featureSchema !== SAMPLE_SCHEMA && (await parts.seriesCount()) > 0;
    const fresh = count - state.trainedCount;
    const isPast = (atMs: number | null) => atMs === null || now() - atMs > RETRY_MS;
    if (!(never ? isPast(state.trainedAtMs) : fresh >= parts.newLabels)) return;
    const mark = await parts.mark();
    if (!never && mark === state.trainedMark) {
      await save({ ...state, trainedCount: count });
      return tellNothingNew(log, fresh);
    }
    const job = await parts.order(SCHEDULE);
    await save({ ...state, trainedCount: count, trainedAtMs: now(), trainedMark: mark });
    const why = never
      ? "no model reads the features of today"
      : `${fresh} decisions have ended since the last`;
    note({ type: "trained", count: fresh, description: `training ${job.id} was ordered: ${why}` });
  }

  /**
   * Orders a training of those that have no version for what they read today, and of all once there is twice the history
   * of the last time. While history comes in, all wait for it.
   */
  async function trainDeep(state: RetrainingState): Promise<void> {
    const series = await parts.seriesCount();
    if (series !== state.seenSeries) return save({ ...state, seenSeries: series });
    const { deepOrderedAtMs, deepSeries } = state;
    if (deepOrderedAtMs !== null && now() - deepOrderedAtMs <= RETRY_MS) return;
    const grown = series > 0 && series >= GROWTH * deepSeries;
    const { due, why } = await dueLearners(registry, grown ? series : null);
    if (due.length === 0) return;
    const job = await parts.orderDeep(SCHEDULE, due);
    await save({ ...state, deepOrderedAtMs: now(), deepSeries: series });
    note(orderedUpdate(due.length, job.id, why));
  }

  return { train, trainDeep };
}

/** Learners with no version for what they read today, or all, and why. @param grown series that there are; null for no more. */
async function dueLearners(
  registry: Pick<Registry<OpenModel>, "list">,
  grown: number | null,
): Promise<{ due: DeepLearner[]; why: string }> {
  if (grown !== null) return { due: [...DEEP_LEARNERS], why: `${grown} series are stored` };
  const due: DeepLearner[] = [];
  for (const learner of DEEP_LEARNERS) {
    const [newest] = await registry.list({ learner }, 1);
    if (newest?.featureSchema !== DEEP_HEADS[learner].featureSchema) due.push(learner);
  }
  return { due, why: `no ${due.join(" and no ")} has been trained yet` };
}
