import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { type Stability, stabilityOf, stabilityVerdict } from "../../core/learning/stability.js";
import type { TabularModel } from "../../core/learning/tabular.js";
import type { OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import type { Purpose } from "../models/store.js";
import type { LabelStore } from "./label-store.js";
import type { Shown } from "./shown.js";

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
/** Of the occasions of a day, or of twenty bars where those are longer: so that there are several of them. */
const OF_BLOCK = 25;
/** Snapshots below which nothing is said. */
export const LEAST_SNAPSHOTS = 50;
const TOLD = 5;

/** What was shown of late of what a version serves. */
export function newestSnapshots(
  labels: Pick<LabelStore, "snapshots">,
  purpose: Pick<Purpose, "assetClass" | "interval">,
): Promise<readonly Shown[]> {
  return labels.snapshots(purpose, SAMPLE_SCHEMA, { limit: NEWEST, ofBlock: OF_BLOCK });
}

/** How far each column has moved from the rows that a model was trained on, and how far it might by chance. */
export function stabilitiesOf({ bins }: TabularModel, shown: readonly Shown[]): Stability[] {
  const independent = blocksOf(shown);
  return bins.map((reference, k) =>
    stabilityOf(
      reference,
      Float64Array.from(shown, ({ values }) => values[k]),
      independent,
    ),
  );
}

/** Blocks of time, of the interval that has most: a day's bars of another one tell nothing more. */
function blocksOf(shown: readonly Shown[]): number {
  const counts = new Map<string, number>();
  for (const block of new Set(shown.map((each) => each.block))) {
    const [interval] = block.split(" ");
    counts.set(interval, (counts.get(interval) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

/** Population stability of every feature of what serves, by the newest snapshots. */
export async function measureDrift(
  registry: Pick<Registry<OpenModel>, "allServing">,
  labels: Pick<LabelStore, "snapshots">,
): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const { version, opened } of registry.allServing()) {
    if (opened.learner !== "gradient_trees") continue;
    const rows = await newestSnapshots(labels, version);
    const name = `${version.assetClass} ${version.interval} by ${version.grouping}`;
    const head = { model: name, version: version.version, compared: rows.length };
    if (rows.length < LEAST_SNAPSHOTS) {
      found.push({ ...head, steady: 0, moved: 0, shifted: 0, most: [] });
      continue;
    }
    const counts = { steady: 0, moved: 0, shifted: 0, unknown: 0 };
    const indexes = stabilitiesOf(opened.model, rows).map((stability, k) => {
      counts[stabilityVerdict(stability)]++;
      return { feature: version.columns[k], index: stability.index };
    });
    const most = indexes.filter(({ index }) => !Number.isNaN(index)).sort((a, b) => b.index - a.index);
    found.push({ ...head, ...counts, most: most.slice(0, TOLD) });
  }
  return found;
}
