import { sumOf } from "../../core/base/stats.js";
import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import type { Config } from "../../platform/config.js";
import type { Database } from "../../platform/database.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { Settings } from "../../platform/settings.js";
import { sha256 } from "../../platform/sha256.js";
import type { Workers } from "../../platform/workers.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Actions } from "../candles/actions.js";
import type { CandleStore } from "../candles/store.js";
import { createEvidenceStore } from "../evidence/store.js";
import { createStoredReader, type StoredSeries } from "../evidence/stored.js";
import type { Jobs } from "../jobs/jobs.js";
import { orderOnce } from "../jobs/order-once.js";
import { isDeepLearner } from "../models/artefact.js";
import { candidateOf, type ModelExport } from "../models/exchange.js";
import type { ModelFeature } from "../models/feature.js";
import type { OnlineModels } from "../models/online.js";
import { takenText } from "../models/steps.js";
import { ANY, type ModelVersion } from "../models/store.js";
import { createAgentWatch } from "./agent-watch.js";
import { createDataSetJob, type DataSetJob } from "./data-set-job.js";
import { createDeepJob, type DeepJob } from "./deep-job.js";
import { createJudge } from "./judge.js";
import { createLabelStore, type LabelStore } from "./label-store.js";
import { createLayerProofs, type LayerProofs } from "./layer-proof.js";
import { createLayerStore, type LayerStore } from "./layer-store.js";
import { createRetrainingLoop, type RetrainingLoop } from "./loop.js";
import { HEAD, type Lot, lotsOf } from "./lots.js";
import { createLearningStatus, type LearningStatus } from "./status.js";
import { createTrainJob, type TrainInput, type TrainJob } from "./train-job.js";
import { createTryJob, type TryJob } from "./try-job.js";

/** Training: by order, and by itself where there is something new. */
export interface Retraining {
  readonly kind: TrainJob;
  readonly deepKind: DeepJob;
  /** Samples as a file. */
  readonly dataSet: DataSetJob;
  readonly trying: TryJob;
  /**
   * Takes in a model from elsewhere as a candidate, and orders that it is tried.
   * @throws {AppError} `model_refused`, and `promotion_refused` where the same bytes were taken back.
   */
  takeIn(principal: Principal, file: ModelExport): Promise<{ version: ModelVersion; job: JobState }>;
  /** Orders a training, or finds the one that waits or runs. @throws {AppError} as orders of jobs do. */
  order(principal: Principal, input: TrainInput): Promise<JobState>;
  /** Learns from what ends, and orders trainings; null where that is switched off. */
  readonly loop: RetrainingLoop | null;
  readonly labels: LabelStore;
  readonly layers: LayerStore;
  readonly layerProofs: LayerProofs;
  readonly status: LearningStatus;
  readonly online: OnlineModels;
}

export function createRetraining(parts: {
  readonly config: Pick<
    Config,
    "ENABLE_BACKGROUND_WORKERS" | "RETRAIN_INTERVAL_SECONDS" | "RETRAIN_NEW_LABELS"
  >;
  readonly settings: Settings;
  readonly log: Log;
  readonly database: Database;
  readonly gateway: Gateway;
  readonly candleStore: CandleStore;
  readonly actions: Actions;
  readonly workers: Workers;
  readonly leases: Leases;
  readonly models: ModelFeature;
  readonly jobs: () => Pick<Jobs, "enqueue" | "list">;
  readonly now: () => number;
}): Retraining {
  const { config, database, gateway, models } = parts;
  const market = { synthetic: gateway.synthetic, replay: gateway.replay };
  const series = createEvidenceStore(database, market);
  const labels = createLabelStore(database, market);
  const layers = createLayerStore(database, market);
  const trainParts = {
    ...parts,
    registry: models.registry,
    store: models.modelStore,
    knowledge: models.knowledge,
    labels,
    series,
    read: createStoredReader(parts),
    synthetic: gateway.synthetic,
  };
  const kind = createTrainJob(trainParts);
  const deepKind = createDeepJob(trainParts);
  const trying = createTryJob(trainParts);

  async function takeIn(principal: Principal, file: ModelExport) {
    const model = candidateOf(file, HEAD);
    const { assetClass, interval } = model;
    if (!isDeepLearner(model.learner) && !hasLot(await series.loadSeries(), model))
      throw new AppError(
        "model_refused",
        `No series of ${assetClass} ${interval} is stored to try the model on`,
      );
    const taken = await models.modelStore.takenBack(model);
    if (taken !== null) throw new AppError("promotion_refused", `The model is refused: ${takenText(taken)}`);
    const by = { actor: principal.userId, numbers: {} };
    const reason = `version ${file.version} of a file`;
    const version = await models.registry.admit(model, { ...by, action: "imported", reason });
    try {
      const job = await parts.jobs().enqueue(principal, trying, { model_id: version.id }, null);
      return { version, job };
    } catch (error) {
      // Nothing would ever try it.
      const problem = `its trial could not be ordered: ${messageOf(error)}`;
      await models.registry.refuse(version, { ...by, reason: problem });
      throw error;
    }
  }

  const order = (principal: Principal, input: TrainInput) => orderOnce(parts.jobs(), principal, kind, input);

  const everyMs = config.RETRAIN_INTERVAL_SECONDS * 1_000;
  const loop =
    config.ENABLE_BACKGROUND_WORKERS && everyMs > 0
      ? createRetrainingLoop({
          ...parts,
          registry: models.registry,
          online: models.online,
          labels,
          layers,
          agentWatch: createAgentWatch(trainParts),
          judge: createJudge(parts.workers),
          order: (principal) => order(principal, {}),
          orderDeep: (principal, learners) =>
            orderOnce(parts.jobs(), principal, deepKind, { learners: [...learners] }),
          stored: async () => storedOf(await series.loadSeries()),
          hasSeries: async (model) => hasLot(await series.loadSeries(), model),
          mark: async () => markOf(await series.loadSeries(), await labels.stated()),
          everyMs,
          newLabels: config.RETRAIN_NEW_LABELS,
          market: `${gateway.synthetic ? "synthetic" : "real"}${gateway.replay ?? ""}`,
        })
      : null;
  const status = createLearningStatus({ ...parts, market, labels, layers, loop });
  const dataSet = createDataSetJob(trainParts);
  const layerProofs = createLayerProofs({ database, market, registry: models.registry });
  return {
    ...{ kind, deepKind, dataSet, trying, takeIn, order, loop, labels, layers, layerProofs, status },
    online: models.online,
  };
}

/** Series, and the bars between their ends: they are not counted one by one, so times without trade count too. */
function storedOf(all: readonly StoredSeries[]): { series: number; bars: number } {
  const spans = all.map(({ interval, fromMs, untilMs }) => 1 + (untilMs - fromMs) / INTERVAL_MS[interval]);
  return { series: all.length, bars: Math.round(sumOf(spans)) };
}

/** Series with their ends, and what was said of decisions: bars of which there are no more tell nothing more. */
function markOf(series: readonly StoredSeries[], stated: string): string {
  const ends = series.map(({ instrument, interval, fromMs, untilMs }) => [
    instrument.id,
    interval,
    fromMs,
    untilMs,
  ]);
  return sha256(JSON.stringify([SAMPLE_SCHEMA, ends, stated]));
}

/** Whether a model is of that lot: of all together where there is only one, too. */
function isOf(lot: Lot, { assetClass, interval }: Pick<ModelVersion, "assetClass" | "interval">): boolean {
  const isAll = assetClass === ANY && interval === ANY;
  return isAll || (lot.assetClass === assetClass && lot.interval === interval);
}

const hasLot = (all: readonly StoredSeries[], model: Pick<ModelVersion, "assetClass" | "interval">) =>
  all.length > 0 && lotsOf(all, {}).some((lot) => isOf(lot, model));
