import { type Candidate, learnCandidate, type NothingLearned } from "../../core/learning/candidate.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import type { LearningTerms } from "../../core/learning/lesson.js";
import type { SampleFacts } from "../../core/learning/samples.js";
import { sha256 } from "../../platform/sha256.js";
import { giveWay } from "../../platform/workers.js";
import { type ArtefactHead, openArtefact, packArtefact } from "../models/artefact.js";
import { type Grouping, gatherMaterial, type LessonSeries, lessonOf } from "./lesson.js";

/** Candidates of one asset class and interval to be learned in a thread, one for each grouping. */
export interface LearnOrder {
  readonly series: readonly LessonSeries[];
  readonly policy: LabelPolicy;
  readonly terms: LearningTerms;
  readonly head: ArtefactHead;
  readonly wanted: readonly Wanted[];
  /** Candidates of all lots that the training tries. */
  readonly candidates: number;
}

export interface Wanted {
  readonly grouping: Grouping;
  /** Artefact of the active version; null where there is none that reads the same columns. */
  readonly incumbent: Uint8Array | null;
  /** Hash of the data set that the newest version learned from by the same terms; null without one. */
  readonly learnedHash: string | null;
}

export type Learned =
  | (Omit<Candidate, "model"> & {
      readonly artefact: Uint8Array;
      readonly hash: string;
      readonly trainingMs: number;
    })
  | NothingLearned
  | { readonly reason: "nothing_new" };

export interface LearnedMaterial {
  readonly dataHash: string;
  readonly samples: number;
  readonly wins: number;
  /** Decisions by the source of their label. */
  readonly sources: Readonly<Record<string, number>>;
  /** Of the first and last decision, epoch ms; null without one. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly unstable: readonly string[];
  /** In the order in which they were wanted. */
  readonly learned: readonly Learned[];
}

/** Learns and tries candidates; their artefacts come back packed. */
export default function learn({
  series,
  policy,
  terms,
  head,
  wanted,
  candidates,
}: LearnOrder): LearnedMaterial {
  giveWay();
  const material = gatherMaterial(series, policy);
  const { labels, decidedAt } = material.samples;
  const learned = wanted.map(({ grouping, incumbent, learnedHash }): Learned => {
    if (learnedHash === material.dataHash) return { reason: "nothing_new" };
    const started = performance.now();
    const opened = incumbent === null ? null : openArtefact(head, incumbent);
    const before = opened?.learner === "gradient_trees" ? opened.model : null;
    const found = learnCandidate({ ...lessonOf(material, grouping), candidates }, terms, before);
    if (!("model" in found)) return found;
    const { model, ...candidate } = found;
    const artefact = packArtefact(head, { learner: "gradient_trees", model });
    return { ...candidate, artefact, hash: sha256(artefact), trainingMs: performance.now() - started };
  });
  return {
    dataHash: material.dataHash,
    samples: labels.length,
    wins: labels.reduce((sum, label) => sum + label, 0),
    sources: countBySource(material.facts),
    fromMs: decidedAt.at(0) ?? null,
    toMs: decidedAt.at(-1) ?? null,
    unstable: material.unstable,
    learned,
  };
}

function countBySource(facts: readonly SampleFacts[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { label } of facts) counts[label.source] = (counts[label.source] ?? 0) + 1;
  return counts;
}
