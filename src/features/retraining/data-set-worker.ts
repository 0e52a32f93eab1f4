import { type DataSetFile, dataSetOf, encodeDataSet } from "../../core/learning/data-set.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import { gatherMaterial, type LessonSeries } from "./lesson.js";

/** Samples of series to be written in a thread. */
export interface DataSetOrder {
  readonly series: readonly LessonSeries[];
  readonly policy: LabelPolicy;
  readonly mostRows: number;
}

/** The file, or how many rows are too many for one. */
export default function exportDataSet({ series, policy, mostRows }: DataSetOrder): DataSetFile | number {
  const { samples, facts, dataHash } = gatherMaterial(series, policy);
  if (facts.length > mostRows) return facts.length;
  return encodeDataSet(dataSetOf({ samples, facts }), dataHash);
}
