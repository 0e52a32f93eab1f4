import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { fuseLayers, LAYERS, type LayerInput, type LayerName } from "../../core/signals/fuse.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { isoTime, routeGroup, wholeNumberText } from "../../platform/http.js";
import { type KeptLayers, loadLayers } from "../alerts/layers.js";
import type { MarketName } from "../instruments/store.js";
import type { OpenModel } from "../models/artefact.js";
import { chanceOf, type LayerWeighing, STACK } from "../models/layers.js";
import type { Registry } from "../models/registry.js";
import type { ModelVersion } from "../models/store.js";

/** What layers of an alert come to together, as it was kept and computed again. */
export interface LayerProof {
  readonly alertId: number;
  readonly kept: KeptLayers;
  /** Version of the weights with the hash of its artefact; null where the usual ones served. */
  readonly version: { readonly version: string; readonly hash: string } | null;
  readonly recomputed: Fused | { readonly reason: string };
}

interface Fused {
  readonly composite: number | null;
  readonly chance: number | null;
}

export interface LayerProofs {
  /**
   * Fuses what layers said of an alert again, by the weights and the calibrator of the version that did.
   * @throws {AppError} `alert_not_found`, `score_not_found` where its layers have not been read.
   */
  prove(alertId: number): Promise<LayerProof>;
}

export function createLayerProofs(parts: {
  readonly database: Pick<Database, "query">;
  readonly market: MarketName;
  readonly registry: Pick<Registry<OpenModel>, "list" | "open">;
}): LayerProofs {
  const { database, market, registry } = parts;

  /** @throws {AppError} `model_refused` where the version is not what was stored. */
  async function weighingBy(kept: KeptLayers, version: ModelVersion | undefined): Promise<LayerWeighing> {
    if (kept.stackVersion === null) return { weights: kept.weights, learned: null };
    if (version === undefined)
      throw new AppError("model_refused", `Version ${kept.stackVersion} is not stored`);
    const { opened } = await registry.open(version);
    if (opened.learner !== "layer_stack")
      throw new AppError("model_refused", `${opened.learner} does not weigh layers`);
    const stack = opened.model;
    return { weights: stack.weights, learned: { version: version.version, stack } };
  }

  return {
    async prove(alertId) {
      const [alert] = await database.query(
        `select a.id from alerts a join instruments i on i.id = a.instrument_id
         where a.id = $3 and i.synthetic = $1 and i.replay = $2`,
        [market.synthetic, market.replay ?? "", alertId],
      );
      if (alert === undefined) throw new AppError("alert_not_found", `There is no alert ${alertId}`);
      const kept = await loadLayers(database, alertId);
      if (kept === null)
        throw new AppError("score_not_found", `The layers of alert ${alertId} have not been read`);
      const [named] =
        kept.stackVersion === null ? [] : await registry.list({ ...STACK, version: kept.stackVersion }, 1);
      const version = named === undefined ? null : { version: named.version, hash: named.hash };
      try {
        return { alertId, kept, version, recomputed: fusedBy(await weighingBy(kept, named), kept) };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "model_refused") throw error;
        return { alertId, kept, version, recomputed: { reason: error.message } };
      }
    },
  };
}

function fusedBy(weighing: LayerWeighing, kept: KeptLayers): Fused {
  const inputs = Object.fromEntries(
    LAYERS.map((name): [LayerName, LayerInput] => {
      const value = kept[name];
      return [name, value === null ? { value, reason: "it was silent" } : { value }];
    }),
  ) as Record<LayerName, LayerInput>;
  const fusion = fuseLayers(inputs, kept.direction, weighing.weights);
  return { composite: fusion.composite, chance: chanceOf(weighing, fusion).value };
}

const fused = z.object({
  composite: z.number().nullable().describe("Towards the direction, 0..100; null where no layer spoke"),
  chance: z.number().nullable().describe("Of the target before the stop, 0..1; null by the usual weights"),
});

const proofSchema = z
  .object({
    alert_id: z.number().int(),
    direction: z.enum(["long", "short"]),
    as_of: z.iso.datetime().describe("Close of the bar of the alert"),
    layers: z
      .record(z.enum(LAYERS), z.number().nullable())
      .describe("What each said, -1 falling .. 1 rising; null where it was silent"),
    model_version: z
      .string()
      .nullable()
      .describe("Of the weights of layers; null where the usual ones served"),
    model_hash: z.string().nullable().describe("SHA-256 of that version"),
    stored: fused,
    recomputed: fused.nullable(),
    identical: z.boolean().describe("Bit for bit, by the artefact of that hash"),
    reason: z.string().nullable().describe("Why it could not be recomputed"),
  })
  .meta({ id: "LayerProof" });

const params = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });

/** Whether what layers of an alert came to is what they come to. */
export function layerProofRoutes(app: FastifyInstance, proofs: LayerProofs): void {
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 60 });
  routes.get("/api/ml/layers/:id/proof", {
    id: "proveLayers",
    summary:
      "What the layers of an alert came to together, fused again by the version of the weights that did",
    params,
    answer: { data: proofSchema },
    errors: ["alert_not_found", "score_not_found"],
    handle: async ({ params: { id } }) => ({ data: proofView(await proofs.prove(id)) }),
  });
}

function proofView({ alertId, kept, version, recomputed }: LayerProof): z.input<typeof proofSchema> {
  const { composite, chance, stackVersion } = kept;
  const again = "reason" in recomputed ? null : recomputed;
  return {
    alert_id: alertId,
    direction: kept.direction === 1 ? "long" : "short",
    as_of: isoTime(kept.asOfMs),
    layers: Object.fromEntries(LAYERS.map((name) => [name, kept[name]])) as Record<LayerName, number | null>,
    model_version: stackVersion,
    model_hash: version?.hash ?? null,
    stored: { composite, chance },
    recomputed: again === null ? null : { composite: again.composite, chance: again.chance },
    identical: again !== null && Object.is(again.composite, composite) && Object.is(again.chance, chance),
    reason: "reason" in recomputed ? recomputed.reason : null,
  };
}
