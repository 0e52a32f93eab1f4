import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import type { AssetClass } from "../../core/market/symbols.js";
import { REGIMES } from "../../core/regime/define.js";
import { wholeNumberText } from "../../platform/http.js";
import { DEEP_LEARNERS } from "./artefact.js";
import { cardSchema, checkSchema, modelMetricsSchema } from "./card.js";
import { STACK } from "./layers.js";
import { ANY, MODEL_ACTIONS, MODEL_STATUSES } from "./store.js";

const time = z.iso.datetime();
const number = z.number().nullable();

/** How a regime is told that takes all together, as earlier systems spell it. */
export const ALL_REGIMES = "all";

export const ASSET_CLASSES = [
  "equity",
  "etf",
  "index",
  "crypto",
  "fx",
  "commodity",
] as const satisfies readonly AssetClass[];
const assetClass = z.enum([...ASSET_CLASSES, ANY]).describe("any for the model that all share");
const interval = z.enum([...INTERVALS, ANY]);

/** What an exported version is for. */
export const exchangePurpose = {
  learner: z.string().max(32),
  asset_class: assetClass,
  timeframe: interval,
  grouping: z.enum(["regime", "pattern", "none"]),
};
const regime = z.enum([...REGIMES, ALL_REGIMES]);
const versionText = z
  .string()
  .regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, "must be a semantic version, 1.2.0")
  .meta({ type: "string", pattern: undefined, examples: ["1.2.0"] });
const pattern = z
  .string()
  .min(1)
  .max(60)
  .describe("Variant of the pattern table: asks for the model by pattern");

/** Learners that versions are told of by name; all but trees are of all asset classes and intervals. */
const learner = z
  .enum(["gradient_trees", ...DEEP_LEARNERS, STACK.learner])
  .default("gradient_trees")
  .describe("All others than gradient_trees are of any asset class and timeframe");

const purposeFields = {
  learner,
  asset_class: assetClass.default(ANY),
  timeframe: interval.default(ANY),
  regime: regime
    .default(ALL_REGIMES)
    .describe("A group within the model of its asset class and interval; all for what they share"),
  pattern: pattern.optional(),
};

export const purposeQuery = z.object(purposeFields);
export const infoQuery = z.object({
  ...purposeFields,
  version: z
    .string()
    .regex(/^(latest|\d{1,6}\.\d{1,6}\.\d{1,6})$/, "must be a semantic version, or latest")
    .default("latest")
    .describe("A semantic version, 1.2.0, or latest")
    .meta({ type: "string", pattern: undefined }),
});
/** What is changed is said in full: nothing stands for what all share but its name. */
const changedFields = {
  ...purposeFields,
  asset_class: assetClass.optional().describe("Needed for gradient_trees; any is what all share"),
  timeframe: interval.optional().describe("As asset_class"),
  reason: z.string().trim().min(1).max(500).default("asked for"),
};
type Changed = z.output<z.ZodObject<typeof changedFields>>;

function isSaidInFull({ learner: of, asset_class, timeframe, regime: group, pattern: variant }: Changed) {
  if (of === "gradient_trees") return asset_class !== undefined && timeframe !== undefined;
  const named = [asset_class ?? ANY, timeframe ?? ANY, group];
  return named.every((each) => each === ANY || each === ALL_REGIMES) && variant === undefined;
}
const IN_FULL = {
  path: ["asset_class"],
  message:
    "and timeframe are needed for gradient_trees, and other learners have neither these nor regime or pattern",
};

export const promoteBody = z
  .strictObject({
    ...changedFields,
    to_version: versionText,
    force: z.boolean().default(false).describe("Also where it, or one of the same bytes, was taken back"),
  })
  .refine(isSaidInFull, IN_FULL);
export const rollbackBody = z.strictObject(changedFields).refine(isSaidInFull, IN_FULL);

export const versionSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    learner: z.string(),
    asset_class: z.string(),
    timeframe: z.string(),
    grouping: z.string(),
    version: z.string(),
    status: z.enum(MODEL_STATUSES),
    hash: z.string().describe("SHA-256 of the artefact"),
    data_hash: z.string().describe("SHA-256 of the samples that were learned from"),
    feature_schema: z.string(),
    samples: z.number().int(),
    first_decision: time.nullable().describe("Null where it learned from nothing that happened"),
    last_decision: time.nullable(),
    last_updated: time,
    auc: number.describe("On the stretch of time that nothing was chosen by"),
    href: z.string(),
  })
  .meta({ id: "ModelVersion" });

const groupSchema = z.object({
  asset_class: z.string(),
  timeframe: z.string(),
  regime: z.string(),
  version: z.string(),
  pattern: z.string().optional(),
});

export const refusedVersions = z
  .array(
    z.object({
      model: z.string(),
      version: z.string(),
      reason: z.string(),
      served_by: z.string().nullable().describe("Version that serves instead; null where none does"),
    }),
  )
  .describe("Active versions that cannot be read");

export const modelsAnswer = {
  data: z.array(versionSchema).describe("All versions, newest first"),
  models: z.object({
    global: z.array(groupSchema).describe("What serves, by regime; all is what regimes share"),
    pattern: z.array(groupSchema),
  }),
  refused: refusedVersions,
  reason: z.string().nullable().describe("Why there is none yet"),
};

export const metadataSchema = versionSchema.extend({
  seed: z.number().int(),
  parameters: z.record(z.string(), z.unknown()),
  features: z.array(z.string()),
  metrics: modelMetricsSchema.nullable(),
  card: cardSchema.nullable(),
});

export const importanceSchema = z.object({
  feature: z.string(),
  importance: z.number().describe("Share of the gain of all splits, 0..1"),
  splits: z.number().int(),
});

export const auditSchema = z
  .object({
    id: z.number().int(),
    model_id: z.number().int(),
    version: z.string(),
    asset_class: z.string(),
    timeframe: z.string(),
    learner: z.string(),
    action: z.enum(MODEL_ACTIONS),
    from: z.enum(MODEL_STATUSES).nullable(),
    to: z.enum(MODEL_STATUSES),
    actor: z.string(),
    reason: z.string(),
    checks: z.array(checkSchema).describe("Each rule with the values it compared, where rules decided"),
    numbers: z
      .record(z.string(), z.unknown())
      .describe(
        "What else was weighed: of the version, of the one it replaced or gave way to, of live decisions",
      ),
    at: time,
  })
  .meta({ id: "ModelAudit" });

export const auditsQuery = z.object({
  model_id: wholeNumberText(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("Of one version; of all without it"),
  limit: wholeNumberText(1, 500).default(100),
});

export const scoreParams = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });

export const proofSchema = z
  .object({
    score_id: z.number().int(),
    symbol: z.string(),
    timeframe: z.string(),
    pattern: z.string().nullable(),
    direction: z.enum(["long", "short"]),
    bar_time: time,
    model_version: z.string(),
    model_hash: z.string(),
    artefact_hash: z.string().describe("SHA-256 of the artefact as it is stored now"),
    feature_schema: z.string(),
    features: z.record(z.string(), z.number().nullable()),
    stored: z.object({ score: z.number(), raw: z.number() }),
    recomputed: z.object({ score: z.number(), raw: z.number() }).nullable(),
    identical: z.boolean().describe("Bit for bit, by the artefact of that hash"),
    reason: z.string().nullable().describe("Why it could not be recomputed"),
  })
  .meta({ id: "ScoreProof" });
