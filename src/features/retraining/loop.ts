import { z } from "zod";
import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Settings } from "../../platform/settings.js";
import { DEEP_HEADS, DEEP_LEARNERS, type DeepLearner, type OpenModel } from "../models/artefact.js";
import type { OnlineModels } from "../models/online.js";
import type { Registry } from "../models/registry.js";
import type { AgentWatch } from "./agent-watch.js";
import type { LabelStore } from "./label-store.js";
import type { LayerStore } from "./layer-store.js";
import { relearnStack } from "./stack.js";
import { teachOnline } from "./teach.js";
import { duel, watch } from "./watch.js";

/** What was last learned from, kept over restarts. */
const stateSchema = z.object({
  /** Newest outcome that online models were taught. */
  taughtOutcome: z.number().int(),
  /** Outcomes that there were when a training was ordered last, and when that was; null before the first. */
  trainedCount: z.number().int(),
  trainedAtMs: z.number().nullable(),
  /** What there was to learn from then. */
  trainedMark: z.string().nullable().default(null),
  /** When a training of the net and the agent was ordered last; null before the first. */
  deepOrderedAtMs: z.number().nullable().default(null),
  /** Stored series that there were then, and at the last pass; null before the first. */
  deepSeries: z.number().int().default(0),
  seenSeries: z.number().int().nullable().default(null),
});
export type RetrainingState = z.output<typeof stateSchema>;

/** What one pass did, newest first in `recent`. */
export interface Update {
  readonly atMs: number;
  readonly type: "taught" | "trained" | "promoted" | "refused" | "rolled_back";
  readonly description: string;
  /** Decisions that it is about, or as many of what `of` names. */
  readonly count: number;
  readonly of?: "learners";
}

export interface RetrainingLoop {
  readonly definition: LoopDefinition;
  state(): Promise<RetrainingState>;
  /** Passes of this process that did something, newest first. */
  recent(): readonly Update[];
  /** Whether a pass is under way. */
  busy(): boolean;
  everyMs(): number;
  /** When the next pass of this process begins, epoch ms; null before the first has ended, and while one is under way. */
  nextAtMs(): number | null;
}

export interface RetrainingLoopParts {
  readonly registry: Registry<OpenModel>;
  readonly online: Pick<OnlineModels, "learn">;
  readonly labels: LabelStore;
  readonly layers: Pick<LayerStore, "newestSettled" | "settledAfter">;
  readonly agentWatch: AgentWatch;
  readonly order: (principal: Principal) => Promise<JobState>;
  /** Orders that learners of windows and states are trained. */
  readonly orderDeep: (principal: Principal, learners: readonly DeepLearner[]) => Promise<JobState>;
  /** How many series are long enough to learn from. */
  readonly seriesCount: () => Promise<number>;
  /** Names what a training would learn from: another once that is more or other. */
  readonly mark: () => Promise<string>;
  readonly settings: Pick<Settings, "load" | "save">;
  readonly leases: Leases;
  readonly everyMs: number;
  /** New labels from which on models are trained anew. */
  readonly newLabels: number;
  readonly market: string;
  readonly now: () => number;
  readonly log: Log;
}

const LEASE = "retraining";
const LEASE_MS = 60_000;
const TIMEOUT_MS = 170_000;
const KEPT_UPDATES = 50;
const SCHEDULE: Principal = { userId: "schedule", role: "admin", anonymous: false };
const NOTHING: RetrainingState = {
  taughtOutcome: 0,
  trainedCount: 0,
  trainedAtMs: null,
  trainedMark: null,
  deepOrderedAtMs: null,
  deepSeries: 0,
  seenSeries: null,
};

function tellNothingNew(log: Log, count: number): void {
  log.info({ kind: "trained", count }, "nothing new: no work, as decisions that ended were learned from");
}

function orderedUpdate(learners: number, job: number, why: string): Omit<Update, "atMs"> {
  const description = `training ${job} was ordered: ${why}`;
  return { type: "trained", count: learners, of: "learners", description };
}

/** Learns from what has ended, watches what serves, and has models trained where there is enough that is new. */
export function createRetrainingLoop(parts: RetrainingLoopParts): RetrainingLoop {
  const { settings, leases, labels, registry, log, now } = parts;
  const name = `retraining.${parts.market}`;
  const updates: Update[] = [];
  let busy = false;
  let nextAtMs: number | null = null;

  const load = async () => (await settings.load(name, stateSchema)) ?? NOTHING;

  function note(update: Omit<Update, "atMs">): void {
    updates.unshift({ atMs: now(), ...update });
    updates.length = Math.min(updates.length, KEPT_UPDATES);
    log.info({ kind: update.type, count: update.count }, update.description);
  }

  async function teach(state: RetrainingState, signal: AbortSignal): Promise<RetrainingState> {
    const { taught, newest } = await teachOnline(parts.online, labels, state.taughtOutcome, signal);
    if (taught === 0) return state;
    note({ type: "taught", count: taught, description: `online models learned from ${taught} decisions` });
    const next = { ...state, taughtOutcome: newest };
    await settings.save(name, next);
    return next;
  }

  /** Orders a training where there has been none, or enough labels are new since and there is more to learn from. */
  async function train(state: RetrainingState): Promise<void> {
    const { count } = await labels.count();
    const known = await registry.list({ learner: "gradient_trees" }, 1);
    const never = known[0]?.featureSchema !== SAMPLE_SCHEMA && (await parts.seriesCount()) > 0;
    const fresh = count - state.trainedCount;
    const isPast = (atMs: number | null) => atMs === null || now() - atMs > RETRY_MS;
    if (!(never ? isPast(state.trainedAtMs) : fresh >= parts.newLabels)) return;
    const mark = await parts.mark();
    if (!never && mark === state.trainedMark) {
      await settings.save(name, { ...state, trainedCount: count });
      return tellNothingNew(log, fresh);
    }
    const job = await parts.order(SCHEDULE);
    await settings.save(name, { ...state, trainedCount: count, trainedAtMs: now(), trainedMark: mark });
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
    if (series !== state.seenSeries) return settings.save(name, { ...state, seenSeries: series });
    const { deepOrderedAtMs, deepSeries } = state;
    if (deepOrderedAtMs !== null && now() - deepOrderedAtMs <= RETRY_MS) return;
    const grown = series > 0 && series >= GROWTH * deepSeries;
    const { due, why } = await dueLearners(registry, grown ? series : null);
    if (due.length === 0) return;
    const job = await parts.orderDeep(SCHEDULE, due);
    await settings.save(name, { ...state, deepOrderedAtMs: now(), deepSeries: series });
    note(orderedUpdate(due.length, job.id, why));
  }

  return {
    state: load,
    recent: () => updates,
    busy: () => busy,
    everyMs: () => parts.everyMs,
    nextAtMs: () => nextAtMs,
    definition: {
      name: LEASE,
      everyMs: () => parts.everyMs,
      timeoutMs: TIMEOUT_MS,
      async run(_nowMs, signal) {
        nextAtMs = null;
        try {
          // An artefact may have been altered since it was read.
          await registry.refresh();
          if ((await leases.acquire(LEASE, LEASE_MS)) === null) return;
          busy = true;
          const state = await teach(await load(), signal);
          await watch(parts.registry, parts, note);
          await duel(parts.registry, labels, note);
          await relearnStack(parts.registry, parts.layers, note);
          await train(state);
          await trainDeep(await load());
        } finally {
          busy = false;
          nextAtMs = now() + parts.everyMs;
        }
      },
    },
  };
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

/** A training that found too little is tried again after this. */
const RETRY_MS = 3_600_000;
/** Nets and agents learn anew from so many times the series that they learned from. */
const GROWTH = 2;
