import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Log } from "../../platform/log.js";
import { DEEP_HEADS, DEEP_LEARNERS, type DeepLearner, type OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import type { RetrainingLoopParts, RetrainingState, Update } from "./loop.js";
import { TREES } from "./lots.js";

const SCHEDULE: Principal = { userId: "schedule", role: "admin", anonymous: false };

/** A training that found too little is tried again after this. */
const RETRY_MS = 3_600_000;
/** Nets and agents learn anew from so many times the bars that they learned from. */
const GROWTH = 2;
/** One of which no version serves, since it was refused or taken back, is tried again after this, on what is new by then. */
const IDLE_RETRY_MS = 3 * 3_600_000;

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
    "labels" | "registry" | "log" | "now" | "order" | "orderDeep" | "stored" | "mark" | "newLabels"
  >,
  save: (state: RetrainingState) => Promise<void>,
  note: (update: Omit<Update, "atMs">) => void,
) {
  const { labels, registry, log, now } = parts;

  /** Null while a job of another order is under way: it is ordered at a later pass. */
  async function unlessUnderWay(order: Promise<JobState>): Promise<JobState | null> {
    try {
      return await order;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "conflict") throw error;
      log.info({ reason: error.message }, "a training waits for another");
      return null;
    }
  }

  /** Orders a training where there has been none, or enough labels are new since and there is more to learn from. */
  async function train(state: RetrainingState): Promise<void> {
    const { count } = await labels.count();
    // What was imported says nothing of whether what is stored here was learned from.
    const known = await registry.list({ learner: TREES, trainedHere: true }, 1);
    const never = known[0]?.featureSchema !== SAMPLE_SCHEMA && (await parts.stored()).series > 0;
    const fresh = count - state.trainedCount;
    const isPast = (atMs: number | null) => atMs === null || now() - atMs > RETRY_MS;
    if (!(never ? isPast(state.trainedAtMs) : fresh >= parts.newLabels)) return;
    const mark = await parts.mark();
    if (!never && mark === state.trainedMark) {
      await save({ ...state, trainedCount: count });
      return tellNothingNew(log, fresh);
    }
    const job = await unlessUnderWay(parts.order(SCHEDULE));
    if (job === null) return;
    await save({ ...state, trainedCount: count, trainedAtMs: now(), trainedMark: mark });
    const why = never
      ? "no model reads the features of today"
      : `${fresh} decisions have ended since the last`;
    note({ type: "trained", count: fresh, description: `training ${job.id} was ordered: ${why}` });
  }

  /**
   * Orders a training of those that have no version for what they read today, of those that nothing serves of, and of all
   * once there is twice the history of the last time that all were. While history comes in, all wait for it.
   */
  async function trainDeep(state: RetrainingState): Promise<void> {
    const { series, bars } = await parts.stored();
    // What was ordered before bars were counted is taken to have learned from those that there are.
    const { deepOrderedAtMs, deepBars = bars, deepOrderedBars } = state;
    if (series !== state.seenSeries) return save({ ...state, deepBars, seenSeries: series });
    const sinceMs = deepOrderedAtMs === null ? Number.POSITIVE_INFINITY : now() - deepOrderedAtMs;
    if (sinceMs <= RETRY_MS) return;
    const grown = bars > 0 && (deepOrderedAtMs === null || bars >= GROWTH * deepBars);
    const idle = sinceMs > IDLE_RETRY_MS && bars > deepOrderedBars;
    const { due, why } = grown
      ? { due: [...DEEP_LEARNERS], why: `${bars} bars are stored` }
      : await dueLearners(registry, idle);
    if (due.length === 0) return;
    const job = await unlessUnderWay(parts.orderDeep(SCHEDULE, due));
    if (job === null) return;
    const learnedBars = due.length === DEEP_LEARNERS.length ? bars : deepBars;
    await save({ ...state, deepOrderedAtMs: now(), deepBars: learnedBars, deepOrderedBars: bars });
    note(orderedUpdate(due.length, job.id, why));
  }

  return { train, trainDeep };
}

/**
 * Learners with no version for what they read today, else those that nothing serves of, and why.
 * @param idle whether the latter are due: the same history would give the same version.
 */
async function dueLearners(
  registry: Pick<Registry<OpenModel>, "list">,
  idle: boolean,
): Promise<{ due: DeepLearner[]; why: string }> {
  const untrained: DeepLearner[] = [];
  const unserved: DeepLearner[] = [];
  for (const learner of DEEP_LEARNERS) {
    const [newest] = await registry.list({ learner }, 1);
    const [active] = await registry.list({ learner, status: "active" }, 1);
    if (newest?.featureSchema !== DEEP_HEADS[learner].featureSchema) untrained.push(learner);
    else if (idle && active === undefined) unserved.push(learner);
  }
  return untrained.length > 0
    ? { due: untrained, why: `no ${untrained.join(" and no ")} has been trained yet` }
    : { due: unserved, why: `no ${unserved.join(" and no ")} serves` };
}
