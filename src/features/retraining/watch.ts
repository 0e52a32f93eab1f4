import type { AgentDecay } from "../../core/learning/agent/watch.js";
import type { Duel } from "../../core/learning/duel.js";
import type { StackDecay } from "../../core/learning/stack-candidate.js";
import {
  type Decay,
  judgeShift,
  type LiveScores,
  type Shift,
  VOTE_WATCH,
} from "../../core/learning/watch.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { OpenModel } from "../models/artefact.js";
import type { OpenVersion, Registry } from "../models/registry.js";
import { worthOfColumns } from "../models/scoring.js";
import type { ModelVersion } from "../models/store.js";
import type { AgentWatch } from "./agent-watch.js";
import { LEAST_SNAPSHOTS, newestSnapshots, stabilitiesOf } from "./drift.js";
import type { Judge } from "./judge.js";
import type { LabelStore, ScoredLabel } from "./label-store.js";
import type { LayerStore, SettledVote } from "./layer-store.js";
import type { Update } from "./loop.js";

type Labels = Pick<LabelStore, "scored" | "newestScored" | "snapshots">;
type Note = (update: Omit<Update, "atMs">) => void;

const ACTOR = "retraining";
const OUTDATED: readonly AppError["code"][] = ["conflict", "model_not_found"];
/** Newest labels that are looked at for a change; the rest of the watch looks at fewer. */
const MOST_SCORED = 5_000;

/** Takes back what has decayed, or reads what it was not trained on. */
export async function watch(
  registry: Registry<OpenModel>,
  sources: {
    readonly labels: Labels;
    readonly layers: Pick<LayerStore, "newestSettled">;
    readonly agentWatch: AgentWatch;
    readonly judge: Pick<Judge, "decay" | "stack">;
    readonly log: Pick<Log, "info">;
  },
  note: Note,
): Promise<void> {
  for (const open of registry.allServing()) {
    const found = await decayOf(open, sources);
    if (found === null || found.reason === null) continue;
    const reason = found.reason.replaceAll("_", " ");
    const { version } = open;
    const audit = { actor: ACTOR, reason, numbers: numbersOf(found) };
    const taken = registry.rollBack(version, audit, version.id);
    if (!(await unlessOutdated(taken, `${nameOf(version)} was not rolled back`, sources.log))) continue;
    note({
      type: "rolled_back",
      count: found.samples,
      description: `${nameOf(open.version)} was rolled back: ${reason}`,
    });
  }
}

/** Does what was decided, unless another version is active by now than it was decided of. @returns whether it was done. */
async function unlessOutdated(
  done: Promise<unknown>,
  what: string,
  log: Pick<Log, "info">,
): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || !OUTDATED.includes(error.code)) throw error;
    log.info({ reason: error.message }, what);
    return false;
  }
}

/** What is wrong with a version that serves, by the measures that there are for its learner. */
async function decayOf(
  { version, opened }: OpenVersion<OpenModel>,
  { labels, layers, agentWatch, judge }: Parameters<typeof watch>[1],
): Promise<((Decay | StackDecay | AgentDecay | Shift) & { readonly samples: number }) | null> {
  if (opened.learner === "gradient_trees") {
    const decay = await judge.decay(liveOf(await labels.newestScored(version.id, MOST_SCORED)));
    if (decay !== null && decay.reason !== null) return decay;
    const rows = await newestSnapshots(labels, version);
    if (rows.length < LEAST_SNAPSHOTS) return null;
    const shares = worthOfColumns(opened.model).map(({ share }) => share);
    return { ...judgeShift(stabilitiesOf(opened.model, rows), shares), samples: rows.length };
  }
  if (opened.learner === "q_agent") return agentWatch(version, opened.model);
  // What a version is judged by is what it said itself: others served before it, and perhaps since.
  if (opened.learner === "layer_stack") {
    const own = { stackVersion: version.version };
    return judge.stack(await layers.newestSettled(own, MOST_SCORED), opened.model);
  }
  return judge.decay(deepScores(await layers.newestSettled({ netId: version.id }, MOST_SCORED)), VOTE_WATCH);
}

/** How far the deep layer said towards the direction of each alert, of those that it spoke on. */
function deepScores(votes: readonly SettledVote[]): LiveScores {
  const spoken = votes.filter(({ values }) => !Number.isNaN(values.deep));
  return liveOf(
    spoken.map(({ values, direction, ...vote }) => ({ ...vote, score: 0.5 + 0.5 * direction * values.deep })),
  );
}

/** Lets shadows take over, or gives them up. */
export async function duel(
  registry: Registry<OpenModel>,
  {
    labels,
    judge,
    log,
  }: {
    readonly labels: Pick<Labels, "scored">;
    readonly judge: Pick<Judge, "duel">;
    readonly log: Pick<Log, "info">;
  },
  note: Note,
): Promise<void> {
  for (const shadow of registry.shadows()) {
    const active = registry.serving(shadow.version);
    const take = (found: Duel | null) =>
      unlessOutdated(
        promote(registry, shadow, { found, against: active?.version.id ?? null }, note),
        `${nameOf(shadow.version)} was not promoted`,
        log,
      );
    if (active === null) {
      await take(null);
      continue;
    }
    const ids = [active.version.id, shadow.version.id];
    const found = await judgePair(judge, await labels.scored(ids, shadow.version.createdAtMs), ids);
    if (found.verdict === "promote") await take(found);
    if (found.verdict !== "refuse") continue;
    const reason = `not better than ${active.version.version} on ${found.samples} live decisions`;
    await registry.refuse(shadow.version, { actor: ACTOR, reason, numbers: numbersOf(found) });
    note({ type: "refused", count: found.samples, description: `${nameOf(shadow.version)}: ${reason}` });
  }
}

async function promote(
  registry: Registry<OpenModel>,
  { version }: OpenVersion<OpenModel>,
  { found, against }: { readonly found: Duel | null; readonly against: number | null },
  note: Note,
): Promise<void> {
  const reason = found === null ? "none is active" : `better on ${found.samples} live decisions`;
  const numbers = found === null ? {} : numbersOf(found);
  try {
    await registry.promote(version, version.version, { actor: ACTOR, reason, numbers }, { against });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "promotion_refused") throw error;
    await registry.refuse(version, { actor: ACTOR, reason: error.message, numbers });
    return note({
      type: "refused",
      count: 1,
      of: "candidates",
      description: `${nameOf(version)}: ${error.message}`,
    });
  }
  note({
    type: "promoted",
    count: found?.samples ?? 0,
    description: `${nameOf(version)} was promoted: ${reason}`,
  });
}

const nameOf = ({ assetClass, interval, grouping, version }: ModelVersion) =>
  `${assetClass} ${interval} by ${grouping} ${version}`;

function liveOf(
  rows: readonly Pick<ScoredLabel, "score" | "label" | "decidedAt" | "settledAt">[],
): LiveScores {
  return {
    scores: Float64Array.from(rows, ({ score }) => score),
    labels: Float64Array.from(rows, ({ label }) => label),
    decidedAt: Float64Array.from(rows, ({ decidedAt }) => decidedAt),
    settledAt: Float64Array.from(rows, ({ settledAt }) => settledAt),
  };
}

/** Both versions on the decisions that both have scored. @param ids of the active version and the shadow. */
function judgePair(
  judge: Pick<Judge, "duel">,
  rows: readonly ScoredLabel[],
  [activeId, shadowId]: readonly number[],
): Promise<Duel> {
  const byActive = new Map(rows.flatMap((row) => (row.modelId === activeId ? [[row.snapshotId, row]] : [])));
  const both = rows.flatMap((row) => {
    const other = byActive.get(row.snapshotId);
    return row.modelId === shadowId && other !== undefined ? [{ own: row.score, other }] : [];
  });
  return judge.duel(
    liveOf(both.map(({ other }) => other)),
    Float64Array.from(both, ({ own }) => own),
  );
}

function numbersOf(found: Decay | StackDecay | AgentDecay | Shift | Duel): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => [
      key,
      typeof value === "number" && !Number.isFinite(value) ? null : value,
    ]),
  );
}
