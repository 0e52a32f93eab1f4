import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { stabilityOf, stabilityVerdict } from "../../core/learning/stability.js";
import type { OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import type { LabelStore } from "./label-store.js";

/** How far the features of late have gone from those that a version was trained on. */
export interface Drift {
  readonly model: string;
  readonly version: string;
  /** Newest snapshots that were compared. */
  readonly compared: number;
  readonly steady: number;
  readonly moved: number;
  readonly shifted: number;
  /** Those that moved most. */
  readonly most: readonly { readonly feature: string; readonly index: number }[];
}

const NEWEST = 500;
const LEAST = 50;
const TOLD = 5;

/** Population stability of every feature of what serves, by the newest snapshots. */
export async function measureDrift(
  registry: Pick<Registry<OpenModel>, "allServing">,
  labels: Pick<LabelStore, "snapshots">,
): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const { version, opened } of registry.allServing()) {
    if (opened.learner !== "gradient_trees") continue;
    const rows = await labels.snapshots(version, SAMPLE_SCHEMA, NEWEST);
    const name = `${version.assetClass} ${version.interval} by ${version.grouping}`;
    const head = { model: name, version: version.version, compared: rows.length };
    if (rows.length < LEAST) {
      found.push({ ...head, steady: 0, moved: 0, shifted: 0, most: [] });
      continue;
    }
    const counts = { steady: 0, moved: 0, shifted: 0, unknown: 0 };
    const indexes = version.columns.map((feature, k) => {
      const stability = stabilityOf(
        opened.model.bins[k],
        Float64Array.from(rows, (row) => row[k]),
      );
      counts[stabilityVerdict(stability)]++;
      return { feature, index: stability.index };
    });
    const most = indexes.filter(({ index }) => !Number.isNaN(index)).sort((a, b) => b.index - a.index);
    found.push({ ...head, ...counts, most: most.slice(0, TOLD) });
  }
  return found;
}
