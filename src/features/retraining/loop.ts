import { z } from "zod";
import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Settings } from "../../platform/settings.js";
import type { DeepLearner, OpenModel } from "../models/artefact.js";
import type { OnlineModels } from "../models/online.js";
import type { OpenVersion, Registry } from "../models/registry.js";
import type { ModelVersion } from "../models/store.js";
import { unreadableOf } from "../models/unreadable.js";
import type { AgentWatch } from "./agent-watch.js";
import { endCandidates } from "./candidates.js";
import type { Judge } from "./judge.js";
import type { LabelStore } from "./label-store.js";
import type { LayerStore } from "./layer-store.js";
import { createOrders } from "./orders.js";
import { relearnStack } from "./stack.js";
import { teachOnline } from "./teach.js";
import { duel, watch } from "./watch.js";

/** What was last learned from, kept over restarts. */
const stateSchema = z.object({
  /** Newest outcome that online models were taught. */
  taughtOutcome: z.number().int(),
  /** Online models that could not be read, and have not been taught all up to that outcome. */
  heldOnline: z.array(z.string()).readonly().default([]),
  /** Decisions that had ended when a training was ordered last, and when that was; null before the first. */
  trainedCount: z.number().int(),
  trainedAtMs: z.number().nullable(),
  /** What there was to learn from then. */
  trainedMark: z.string().nullable().default(null),
  /** When a training of the net or the agent was ordered last; null before the first. */
  deepOrderedAtMs: z.number().nullable().default(null),
  /** Bars that were stored when both were ordered last, and when either was. */
  deepBars: z.number().optional(),
  deepOrderedBars: z.number().default(0),
  /** Stored series that there were at the last pass; null before the first. */
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
  readonly of?: "learners" | "candidates";
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
  readonly online: Pick<OnlineModels, "learn" | "status">;
  readonly labels: LabelStore;
  readonly layers: Pick<LayerStore, "newestSettled" | "settledAfter">;
  readonly agentWatch: AgentWatch;
  readonly judge: Judge;
  readonly order: (principal: Principal) => Promise<JobState>;
  /** Orders that learners of windows and states are trained. */
  readonly orderDeep: (principal: Principal, learners: readonly DeepLearner[]) => Promise<JobState>;
  /** How many series are long enough to learn from, and how many bars they span. */
  readonly stored: () => Promise<{ readonly series: number; readonly bars: number }>;
  /** Whether series are stored that a model can be tried on. */
  readonly hasSeries: (model: ModelVersion) => Promise<boolean>;
  /** Names what a training would learn from: another once that is more or other. */
  readonly mark: () => Promise<string>;
  readonly settings: Pick<Settings, "load" | "save">;
  readonly leases: Leases;
  readonly everyMs: number;
  /** Decisions that have ended since from which on models are trained anew. */
  readonly newLabels: number;
  readonly market: string;
  readonly now: () => number;
  readonly log: Log;
}

const LEASE = "retraining";
const LEASE_MS = 60_000;
const TIMEOUT_MS = 170_000;
const KEPT_UPDATES = 50;
const NOTHING: RetrainingState = {
  taughtOutcome: 0,
  heldOnline: [],
  trainedCount: 0,
  trainedAtMs: null,
  trainedMark: null,
  deepOrderedAtMs: null,
  deepOrderedBars: 0,
  seenSeries: null,
};

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
    const since = { newest: state.taughtOutcome, held: state.heldOnline };
    const { taught, newest, held } = await teachOnline(parts.online, labels, since, signal);
    if (taught > 0)
      note({ type: "taught", count: taught, description: `online models learned from ${taught} decisions` });
    if (taught === 0 && held.join() === state.heldOnline.join()) return state;
    const next = { ...state, taughtOutcome: newest, heldOnline: held };
    await settings.save(name, next);
    return next;
  }

  /** What was counted by outcomes, or of decisions that are gone by now, is no more than what there is. */
  async function counted(state: RetrainingState): Promise<RetrainingState> {
    const { count } = await labels.count();
    if (state.trainedCount <= count) return state;
    const next = { ...state, trainedCount: count };
    await settings.save(name, next);
    return next;
  }

  const orders = createOrders(parts, (state) => settings.save(name, state), note);

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
          // An artefact or a state may have been altered since it was read.
          await registry.refresh();
          await parts.online.status();
          if ((await leases.acquire(LEASE, LEASE_MS)) === null) return;
          busy = true;
          const state = await teach(await load(), signal);
          await watch(readable(registry), parts, note);
          await duel(readable(registry), parts, note);
          await endCandidates(registry, parts.hasSeries, now(), note);
          await relearnStack(parts.registry, parts, note);
          await orders.train(await counted(state));
          await orders.trainDeep(await load());
        } finally {
          busy = false;
          nextAtMs = now() + parts.everyMs;
        }
      },
    },
  };
}

/**
 * A registry without what serves, or waits, in place of an active version that cannot be read: of that nothing was decided,
 * so nothing takes it back, and no shadow takes its place because of it.
 */
function readable(registry: Registry<OpenModel>): Registry<OpenModel> {
  const isReadable = ({ version }: OpenVersion<OpenModel>) =>
    unreadableOf(registry.refused(), version) === null;
  return {
    ...registry,
    allServing: () => registry.allServing().filter(isReadable),
    shadows: () => registry.shadows().filter(isReadable),
  };
}
