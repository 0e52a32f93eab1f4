import { explainTabular, scoreTabular, type TabularModel } from "../../core/learning/tabular.js";
import { importancesOf } from "../../core/learning/trees/trees.js";
import { AppError } from "../../platform/errors.js";
import type { OpenModel } from "./artefact.js";
import { servesLot } from "./card.js";
import { chosenOf, groupOf, type Moment } from "./choosing.js";
import type { OpenVersion, Registry } from "./registry.js";
import type { NewScore, StoredScore } from "./scores.js";
import { ANY, nameOf, type Purpose } from "./store.js";
import { toldOf } from "./unreadable.js";

/** What a model is shown of a moment. */
export interface Shown extends Moment {
  readonly assetClass: string;
  readonly interval: string;
  /** In the order of the columns of `schema`; NaN for what is not known. */
  readonly row: Float64Array;
  readonly schema: string;
}

/** The version that counts for a moment, and what it says. */
export interface Counted {
  readonly version: OpenVersion<OpenModel>["version"];
  readonly model: TabularModel;
  /** Group of the model that it was scored by; empty for what all share. */
  readonly group: string;
  readonly score: number;
  readonly raw: number;
}

/** A version of trees that may be asked of an asset class and interval. */
export interface OpenTrees {
  readonly version: OpenVersion<OpenModel>["version"];
  readonly model: TabularModel;
}

export interface Scoring {
  /** Versions that serve an asset class and interval and read these columns, the most specific first. */
  servingOf(lot: Lot, schema: string): readonly OpenTrees[];
  /** The versions of a number that could, whether they serve or not. @throws {AppError} `model_refused`. */
  openNumbered(lot: Lot, schema: string, number: string): Promise<readonly OpenTrees[]>;
  /** Why nothing serves an asset class and interval; null where something does. */
  refusalOf(lot: Lot, schema: string): string | null;
  /** What counts for a moment; null with the reason where no model serves it. */
  count(shown: Shown): Counted | { readonly version: null; readonly reason: string };
  /** What every version says that serves or stands beside: the one that counts first. */
  scoreAll(shown: Shown): NewScore[];
  /** Where the log-odds come from. */
  explain(counted: Counted, row: Float64Array): Explanation;
  /** Computes a stored score again from its snapshot, by the version of its hash. @throws {AppError} `model_refused`. */
  recompute(score: StoredScore): Promise<{ score: number; raw: number }>;
}

/** Log-odds before calibration: the base and all contributions sum to them, and they give `raw`. */
export interface Explanation {
  /** Expected log-odds while no column is known. */
  readonly base: number;
  /** What each column added, greatest first. */
  readonly contributions: readonly Contribution[];
}

export interface Contribution {
  readonly feature: string;
  /** Null where it was not known. */
  readonly value: number | null;
  /** Share of the gain of all splits of the model, 0..1. */
  readonly importance: number;
  /** In log-odds before calibration: the exact SHAP value. */
  readonly contribution: number;
}

export type Lot = Pick<Shown, "assetClass" | "interval">;

const TREES = "gradient_trees";

/** Purposes that serve a moment, the most specific first. */
function purposesOf({ assetClass, interval }: Lot): readonly Purpose[] {
  return [
    { learner: TREES, assetClass, interval, grouping: "pattern" },
    { learner: TREES, assetClass, interval, grouping: "regime" },
    { learner: TREES, assetClass: ANY, interval: ANY, grouping: "pattern" },
    { learner: TREES, assetClass: ANY, interval: ANY, grouping: "regime" },
  ];
}

function treesOf(open: OpenVersion<OpenModel> | null, schema: string): OpenTrees | null {
  if (open === null || open.opened.learner !== TREES) return null;
  const { version, opened } = open;
  return version.featureSchema === schema ? { version, model: opened.model } : null;
}

/** Whether a version was tried on what it is asked of: what several lots share was tried on some of them. */
function isTried({ version }: Pick<OpenTrees, "version">, { assetClass, interval }: Lot): boolean {
  return version.assetClass !== ANY || servesLot(version.metrics, assetClass, interval);
}

export function createScoring(registry: Registry<OpenModel>): Scoring {
  function servingOf(lot: Lot, schema: string): OpenTrees[] {
    return purposesOf(lot).flatMap((purpose) => {
      const open = treesOf(registry.serving(purpose), schema);
      return open !== null && isTried(open, lot) ? open : [];
    });
  }

  async function openNumbered(lot: Lot, schema: string, number: string): Promise<OpenTrees[]> {
    const found: OpenTrees[] = [];
    for (const purpose of purposesOf(lot)) {
      const [version] = await registry.list({ ...purpose, version: number }, 1);
      if (version === undefined || version.featureSchema !== schema || !isTried({ version }, lot)) continue;
      const open = treesOf(await registry.open(version), schema);
      if (open !== null) found.push(open);
    }
    return found;
  }

  function counted({ version, model }: OpenTrees, shown: Shown): Counted {
    const group = groupOf(model, version.grouping, shown);
    return { version, model, group, ...scoreTabular(model, shown.row, group) };
  }

  const servingFor = (shown: Shown) => servingOf(shown, shown.schema).map((open) => counted(open, shown));

  function reasonFor(lot: Lot): string {
    const names = purposesOf(lot).map(nameOf);
    const broken = registry.refused().find(({ purpose }) => names.includes(nameOf(purpose)));
    return broken === undefined
      ? `no model has been promoted for ${lot.assetClass} ${lot.interval}`
      : toldOf(broken);
  }

  return {
    servingOf,
    openNumbered,
    refusalOf: (lot, schema) => (servingOf(lot, schema).length > 0 ? null : reasonFor(lot)),
    count: (shown) => chosenOf(servingFor(shown)) ?? ({ version: null, reason: reasonFor(shown) } as const),

    scoreAll(shown) {
      const serving = servingFor(shown);
      const best = chosenOf(serving);
      const beside = registry
        .shadows()
        .filter(({ version }) =>
          purposesOf(shown).some(
            ({ assetClass, interval, grouping }) =>
              version.assetClass === assetClass &&
              version.interval === interval &&
              version.grouping === grouping,
          ),
        );
      const trees = beside.flatMap((open) => treesOf(open, shown.schema) ?? []);
      const all = [...serving, ...trees.map((open) => counted(open, shown))];
      const scores = all.map((each) => ({
        ...{ modelId: each.version.id, group: each.group, score: each.score, raw: each.raw },
        shadow: each !== best,
      }));
      return scores.sort((a, b) => Number(a.shadow) - Number(b.shadow));
    },

    explain({ model, group }, row) {
      const { base, parts } = explainTabular(model, row, group);
      const { names } = model.trees.global;
      const shares = worthOfColumns(model);
      const contributions = names
        .map((feature, k) => ({
          feature,
          value: Number.isFinite(row[k]) ? row[k] : null,
          importance: shares[k].share,
          contribution: parts[k],
        }))
        .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
      return { base, contributions };
    },

    async recompute({ version, modelId, values, group, purpose, hash, columns, featureSchema }) {
      const said = { id: modelId, version, hash, columns, featureSchema, learner: purpose.learner };
      const { opened } = await registry.open(said);
      if (opened.learner !== TREES)
        throw new AppError("model_refused", `${opened.learner} does not score rows`);
      return scoreTabular(opened.model, Float64Array.from(values), group);
    },
  };
}

/** How much each column gained over all splits, of all and of groups by their share, and in how many. */
export function worthOfColumns({ trees }: TabularModel): { share: number; splits: number }[] {
  const { global, groups } = trees;
  const parts = [{ trees: global, share: 1 }, ...groups.values()].map(({ trees: each, share }) => ({
    ...importancesOf(each),
    share,
  }));
  const worth = global.names.map((_, k) => ({
    gain: parts.reduce((sum, { gains, share }) => sum + share * gains[k], 0),
    splits: parts.reduce((sum, { splits }) => sum + splits[k], 0),
  }));
  const total = worth.reduce((sum, { gain }) => sum + gain, 0);
  return worth.map(({ gain, splits }) => ({ share: total === 0 ? 0 : gain / total, splits }));
}
