import { type EvidenceTable, tabulate } from "../../core/signals/evidence.js";
import type { Occurrences } from "../../core/signals/evidence-series.js";
import { MEASURED } from "./measured.js";

/** Puts series together in a thread. */
export default function put(parts: readonly Occurrences[]): EvidenceTable {
  return tabulate(parts, MEASURED);
}
