import { type Decay, type Duel, judgeDecay, judgeDuel } from "../../core/learning/watch.js";
import type { OpenModel } from "../models/artefact.js";
import type { OpenVersion, Registry } from "../models/registry.js";
import type { ModelVersion } from "../models/store.js";
import type { LabelStore, ScoredLabel } from "./label-store.js";
import type { Update } from "./loop.js";

type Labels = Pick<LabelStore, "scored">;
type Note = (update: Omit<Update, "atMs">) => void;

const ACTOR = "retraining";

/** Takes back what has decayed. */
export async function watch(registry: Registry<OpenModel>, labels: Labels, note: Note): Promise<void> {
  for (const open of registry.allServing()) {
    if (open.version.learner !== "gradient_trees") continue;
    const scored = await labels.scored([open.version.id], open.version.createdAtMs);
    const decay = judgeDecay(scoredOf(scored));
    if (decay === null || decay.reason === null) continue;
    const reason = decay.reason.replaceAll("_", " ");
    await registry.rollBack(open.version, { actor: ACTOR, reason, numbers: numbersOf(decay) });
    note({
      type: "rolled_back",
      count: decay.samples,
      description: `${nameOf(open.version)} was rolled back: ${reason}`,
    });
  }
}

/** Lets shadows take over, or gives them up. */
export async function duel(registry: Registry<OpenModel>, labels: Labels, note: Note): Promise<void> {
  for (const shadow of registry.shadows()) {
    const active = registry.serving(shadow.version);
    if (active === null) {
      await promote(registry, shadow, null, note);
      continue;
    }
    const ids = [active.version.id, shadow.version.id];
    const found = judgePair(await labels.scored(ids, shadow.version.createdAtMs), ids);
    if (found.verdict === "promote") await promote(registry, shadow, found, note);
    if (found.verdict !== "refuse") continue;
    const reason = `not better than ${active.version.version} on ${found.samples} live decisions`;
    await registry.refuse(shadow.version, { actor: ACTOR, reason, numbers: numbersOf(found) });
    note({ type: "refused", count: found.samples, description: `${nameOf(shadow.version)}: ${reason}` });
  }
}

async function promote(
  registry: Registry<OpenModel>,
  { version }: OpenVersion<OpenModel>,
  found: Duel | null,
  note: Note,
): Promise<void> {
  const reason = found === null ? "none is active" : `better on ${found.samples} live decisions`;
  const numbers = found === null ? {} : numbersOf(found);
  await registry.promote(version, version.version, { actor: ACTOR, reason, numbers });
  note({
    type: "promoted",
    count: found?.samples ?? 0,
    description: `${nameOf(version)} was promoted: ${reason}`,
  });
}

const nameOf = ({ assetClass, interval, grouping, version }: ModelVersion) =>
  `${assetClass} ${interval} by ${grouping} ${version}`;

function scoredOf(rows: readonly ScoredLabel[]) {
  return {
    scores: Float64Array.from(rows, ({ score }) => score),
    labels: Float64Array.from(rows, ({ label }) => label),
  };
}

/** Both versions on the decisions that both have scored. @param ids of the active version and the shadow. */
function judgePair(rows: readonly ScoredLabel[], [activeId, shadowId]: readonly number[]): Duel {
  const byActive = new Map(rows.flatMap((row) => (row.modelId === activeId ? [[row.snapshotId, row]] : [])));
  const both = rows.flatMap((row) => {
    const other = byActive.get(row.snapshotId);
    return row.modelId === shadowId && other !== undefined ? [{ own: row.score, other }] : [];
  });
  return judgeDuel(
    scoredOf(both.map(({ other }) => other)),
    Float64Array.from(both, ({ own }) => own),
  );
}

function numbersOf(found: Decay | Duel): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => [
      key,
      typeof value === "number" && !Number.isFinite(value) ? null : value,
    ]),
  );
}
