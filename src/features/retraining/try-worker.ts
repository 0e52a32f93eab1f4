import { type NothingLearned, type Tried, tryModel } from "../../core/learning/candidate.js";
import { WeightsRefused } from "../../core/learning/define.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import type { LearningTerms } from "../../core/learning/lesson.js";
import { type ArtefactHead, openArtefact } from "../models/artefact.js";
import { type Grouping, gatherMaterial, type LessonSeries, lessonOf } from "./lesson.js";

/** A model from elsewhere to be tried in a thread. */
export interface TryOrder {
  readonly series: readonly LessonSeries[];
  readonly policy: LabelPolicy;
  readonly terms: LearningTerms;
  readonly head: ArtefactHead;
  readonly grouping: Grouping;
  readonly artefact: Uint8Array;
  /** Artefact of the active version; null where there is none that reads the same columns. */
  readonly incumbent: Uint8Array | null;
  /** The latest moment at which a decision that it may have learned from was made, epoch ms. */
  readonly learnedUntilMs: number;
}

/** Tries it on decisions of the tail that came after all it learned from. */
export default function tryArtefact(order: TryOrder): Tried | NothingLearned {
  const { series, policy, terms, head, grouping, artefact, incumbent, learnedUntilMs } = order;
  const read = (bytes: Uint8Array) => {
    const opened = openArtefact(head, bytes);
    if (opened.learner === "gradient_trees") return opened.model;
    throw new WeightsRefused(`a model of the learner ${opened.learner} scores no rows`);
  };
  const lesson = lessonOf(gatherMaterial(series, policy), grouping);
  const before = incumbent === null ? null : read(incumbent);
  return tryModel(read(artefact), lesson, terms, { incumbent: before, learnedUntilMs });
}
