import { z } from "zod";
import { WeightsRefused } from "../../core/learning/define.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { sha256 } from "../../platform/sha256.js";
import { type ArtefactHead, DEEP_HEADS, isDeepLearner, openArtefact } from "./artefact.js";
import { type Card, cardSchema, metricsSchema } from "./card.js";
import { exchangePurpose } from "./schema.js";
import { deepPurpose, type ModelVersion, type NewModel } from "./store.js";

const FORMAT = "tx-model-export-1";
const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal");

/** A version with all that is needed to use it elsewhere. */
export const exportSchema = z
  .strictObject({
    format: z.literal(FORMAT),
    ...exchangePurpose,
    version: z.string().max(24),
    hash: hash.describe("SHA-256 of the artefact"),
    data_hash: hash,
    feature_schema: z.string().max(32),
    columns: z.array(z.string().max(60)).max(1_000),
    seed: z.int32(),
    parameters: z.record(z.string(), z.unknown()),
    samples: z.int32().min(0),
    first_decision: z.iso.datetime().nullable(),
    last_decision: z.iso
      .datetime()
      .nullable()
      .describe("As its file says: proves nothing where it is imported"),
    metrics: metricsSchema.nullable(),
    card: cardSchema.nullable(),
    artefact: z
      .string()
      .regex(/^[A-Za-z0-9+/]*={0,2}$/, "must be base64")
      .describe("The bytes that were hashed, in base64"),
  })
  .meta({ id: "ModelExport" });
export type ModelExport = z.output<typeof exportSchema>;

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function exportOf(version: ModelVersion, artefact: Uint8Array): z.input<typeof exportSchema> {
  const { learner, assetClass: asset_class, interval: timeframe, grouping } = version;
  return {
    format: FORMAT,
    ...z.object(exchangePurpose).parse({ learner, asset_class, timeframe, grouping }),
    version: version.version,
    hash: version.hash,
    data_hash: version.dataHash,
    feature_schema: version.featureSchema,
    columns: [...version.columns],
    seed: version.seed,
    parameters: version.parameters,
    samples: version.samples,
    first_decision: timeOf(version.firstDecisionMs),
    last_decision: timeOf(version.lastDecisionMs),
    metrics: metricsSchema.safeParse(version.metrics).data ?? null,
    card: cardSchema.safeParse(version.card).data ?? null,
    artefact: Buffer.from(artefact).toString("base64"),
  };
}

/**
 * The candidate of an export, checked. What was measured elsewhere is left out of its metrics: nothing of it was measured
 * here. @param rows what models of rows read on this server. @throws {AppError} `model_refused` where hash, feature schema, shape
 * or order of columns disagree.
 */
export function candidateOf(file: ModelExport, rows: ArtefactHead): NewModel {
  const artefact = Buffer.from(file.artefact, "base64");
  const head = { learner: file.learner, featureSchema: file.feature_schema, columns: file.columns };
  const refuse = (reason: string) => new AppError("model_refused", `The model is refused: ${reason}`);
  const here = isDeepLearner(file.learner) ? DEEP_HEADS[file.learner] : rows;
  if (file.learner !== here.learner)
    throw refuse(`models of the learner ${file.learner} cannot be tried here`);
  const problem = purposeProblem(file);
  if (problem !== null) throw refuse(problem);
  if (sha256(artefact) !== file.hash) throw refuse("its artefact does not have the hash that it says");
  if (file.feature_schema !== here.featureSchema)
    throw refuse(
      `it reads features of schema ${file.feature_schema}, and this server has ${here.featureSchema}`,
    );
  if (file.columns.join() !== here.columns.join())
    throw refuse("its columns are others, or in another order");
  const times = [file.first_decision, file.last_decision].map((text) =>
    text === null ? null : Date.parse(text),
  );
  try {
    openArtefact(head, artefact);
  } catch (error) {
    if (error instanceof WeightsRefused) throw refuse(error.message);
    throw error;
  }
  return {
    ...{
      learner: file.learner,
      assetClass: file.asset_class,
      interval: file.timeframe,
      grouping: file.grouping,
    },
    ...{
      hash: file.hash,
      dataHash: file.data_hash,
      featureSchema: file.feature_schema,
      columns: file.columns,
    },
    ...{ seed: file.seed, parameters: file.parameters, metrics: {}, card: cardOf(file), artefact },
    samples: file.samples,
    firstDecisionMs: times[0],
    lastDecisionMs: times[1],
    jobId: null,
  };
}

/** Why nothing here is for what a model says it is for; null where something is. */
function purposeProblem({ learner, asset_class, timeframe, grouping }: ModelExport): string | null {
  if (!isDeepLearner(learner))
    return grouping === "none" ? "its grouping says neither regime nor pattern" : null;
  const only = deepPurpose(learner);
  const isOnly = asset_class === only.assetClass && timeframe === only.interval && grouping === only.grouping;
  return isOnly ? null : `a ${learner} is of any asset class and interval, and has no grouping`;
}

function cardOf({ card, version }: ModelExport): Record<string, unknown> {
  if (card === null) return {};
  const limit = `Imported as version ${version} of another server: what it learned from is what its file says.`;
  const untried: Card["verdict"] = { promoted: false, refusedBy: null, checks: [] };
  return { ...card, limits: [...card.limits, limit], verdict: untried };
}
