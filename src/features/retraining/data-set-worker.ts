import { type DataSetFile, dataSetOf, encodeDataSet } from "../../core/learning/data-set.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import { pickLabelled } from "../../core/learning/rows.js";
import { gatherMaterial, type LessonSeries } from "./lesson.js";

/** Samples of series to be written in a thread. */
export interface DataSetOrder {
  readonly series: readonly LessonSeries[];
  readonly policy: LabelPolicy;
  readonly mostRows: number;
  /** Which stretch of so many rows is wanted, from 1 on; null for all of them. */
  readonly part: number | null;
}

/** The file, or how many rows are too many for one, or too few for that part. */
export default function exportDataSet({
  series,
  policy,
  mostRows,
  part,
}: DataSetOrder): DataSetFile | number {
  const { samples, facts, dataHash } = gatherMaterial(series, policy);
  const { length } = facts;
  const parts = Math.max(1, Math.ceil(length / mostRows));
  if (part === null ? parts > 1 : part > parts) return length;
  if (parts === 1) return encodeDataSet(dataSetOf({ samples, facts }), dataHash);
  const from = ((part ?? 1) - 1) * mostRows;
  const rows = Int32Array.from({ length: Math.min(mostRows, length - from) }, (_, k) => from + k);
  const stretch = { number: part ?? 1, of: parts };
  return encodeDataSet(dataSetOf(pickLabelled({ samples, facts }, rows)), dataHash, stretch);
}
