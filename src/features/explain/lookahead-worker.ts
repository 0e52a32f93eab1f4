import type { Candles } from "../../core/market/candles.js";
import { findLeaks, type SubjectFinding } from "./truncation.js";
import { SUBJECTS, type SubjectRef } from "./truncation-table.js";

export interface LeakSearch {
  readonly candles: Candles;
  readonly subjects: readonly SubjectRef[];
  /** Indexes of bars, ascending. */
  readonly bars: readonly number[];
}

/** The truncation test in a thread. */
export default function search({ candles, subjects, bars }: LeakSearch): SubjectFinding[] {
  return findLeaks(subjects.map(SUBJECTS.subjectOf), candles, bars);
}
