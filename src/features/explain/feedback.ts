import type { Detections } from "../detections/detections.js";
import type { StoredDetection } from "../detections/store.js";
import type { Feedback, FeedbackLabel, FeedbackStore, FeedbackVerdict, LabelFilter } from "./store.js";

/** What users say of a detection, one verdict a user. */
export interface FeedbackSummary {
  readonly counts: Readonly<Record<FeedbackVerdict, number>>;
  /** The caller's own that counts; null for none. */
  readonly own: Feedback | null;
  /** All that the caller has said, the newest first. */
  readonly history: readonly Feedback[];
}

export interface FeedbackVerbs {
  /** Takes the place of what the user said before, which is kept. @throws {AppError} `detection_not_found` */
  give(
    detectionId: number,
    userId: string,
    verdict: FeedbackVerdict,
    note: string | null,
  ): Promise<{ detection: StoredDetection; summary: FeedbackSummary }>;
  summary(detectionId: number, userId: string): Promise<FeedbackSummary>;
  /** Verdicts that count as labels to learn from, the newest detections first. */
  listLabels(filter: LabelFilter, limit: number): Promise<FeedbackLabel[]>;
}

export function createFeedback(parts: {
  store: FeedbackStore;
  detections: Pick<Detections, "get">;
  synthetic: boolean;
  now: () => number;
}): FeedbackVerbs {
  const { store, detections, synthetic, now } = parts;

  async function summary(detectionId: number, userId: string): Promise<FeedbackSummary> {
    const [newest, history] = await Promise.all([
      store.newest(detectionId),
      store.history(detectionId, userId),
    ]);
    const count = (verdict: FeedbackVerdict) => newest.filter((each) => each.verdict === verdict).length;
    return {
      counts: { correct: count("correct"), wrong: count("wrong"), unsure: count("unsure") },
      own: history[0] ?? null,
      history,
    };
  }

  return {
    summary,
    async give(detectionId, userId, verdict, note) {
      const detection = await detections.get(detectionId);
      await store.save(detectionId, userId, verdict, note, now());
      return { detection, summary: await summary(detectionId, userId) };
    },
    listLabels: (filter, limit) => store.labels(synthetic, filter, limit),
  };
}
