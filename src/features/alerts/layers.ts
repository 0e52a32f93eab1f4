import { z } from "zod";
import { type FusedLayer, fuseLayers, LAYERS, type LayerName, layerStatus } from "../../core/signals/fuse.js";
import type { Database } from "../../platform/database.js";
import { isoTime } from "../../platform/http.js";
import { epochMs } from "../../platform/sql-epoch.js";
import { chanceFields, chanceView } from "../models/layers.js";

/** What layers said of an alert as of the close of its bar; null for those that were silent. */
export interface KeptLayers extends Readonly<Record<LayerName, number | null>> {
  readonly direction: 1 | -1;
  readonly weights: Readonly<Record<LayerName, number>>;
  /** Towards the direction, 0..100; null where no layer spoke. */
  readonly composite: number | null;
  /** What of alerts with such a composite hit, by the version of the weights of then; null while none was learned. */
  readonly chance: number | null;
  readonly stackVersion: string | null;
  readonly asOfMs: number;
}

/** @returns null while the layers of the alert have not been read. */
export async function loadLayers(
  database: Pick<Database, "query">,
  alertId: number,
): Promise<KeptLayers | null> {
  const [row] = await database.query<KeptLayers>(
    `select direction, rules, deep, multi_timeframe, sentiment, weights, composite, chance,
       stack_version as "stackVersion", ${epochMs("as_of", "asOfMs")} from alert_layers where alert_id = $1`,
    [alertId],
  );
  return row ?? null;
}

const layerSchema = z.object({
  score: z.number().nullable(),
  weight: z.number(),
  contribution: z.number(),
  status: z.enum(["strong", "moderate", "weak", "unavailable"]),
  details: z.string(),
});

export const layerFields = {
  layers: z.record(z.string(), layerSchema).describe("What each source of evidence gave, 0..100"),
  layers_as_of: z.iso
    .datetime()
    .nullable()
    .describe("Close of the bar, as of which layers were read; null while they have not been"),
  composite_score: z.number().nullable().describe("All layers in the direction of the alert, 0..100"),
  ...chanceFields,
};

const DETAILS = {
  rules: "Patterns of the newest bars, as they are measured",
  deep: "The shape that the sequence net named",
  multi_timeframe: "Trend and momentum of several intervals",
  sentiment: "Texts of the last days",
} as const;
const SILENT = "It said nothing at the close of the bar";
const UNREAD = "The layers of this alert have not been read";

/** @param shape of the pattern alone, which stands for all layers while they have not been read. */
export function layersView(
  kept: KeptLayers | null,
  shape: { readonly score: number; readonly details: string },
) {
  if (kept === null) {
    const absent = { score: null, weight: 0, contribution: 0, status: "unavailable" as const };
    const { score, details } = shape;
    const only = {
      score,
      weight: 1,
      contribution: score,
      status: layerStatus({ score } as FusedLayer),
      details,
    };
    return {
      layers: {
        rule_based: only,
        deep_learning: { ...absent, details: UNREAD },
        multi_timeframe: { ...absent, details: UNREAD },
        sentiment: { ...absent, details: UNREAD },
      },
      layers_as_of: null,
      composite_score: null,
      ...chanceView({ value: null, reason: UNREAD, version: null }),
    };
  }
  const inputs = Object.fromEntries(
    LAYERS.map((name) => {
      const value = kept[name];
      return [name, value === null ? { value, reason: SILENT } : { value }];
    }),
  ) as Parameters<typeof fuseLayers>[0];
  const { layers } = fuseLayers(inputs, kept.direction, kept.weights);
  const views = layers.map((layer) => {
    const { name, score, weight, contribution, reason } = layer;
    return { score, weight, contribution, status: layerStatus(layer), details: reason ?? DETAILS[name] };
  });
  const [rule_based, deep_learning, multi_timeframe, sentiment] = views;
  const { chance, stackVersion, composite } = kept;
  const reason =
    chance !== null
      ? null
      : composite === null
        ? "no layer said anything"
        : "weights of layers had not been learned, and with them what a composite comes to";
  return {
    layers: { rule_based, deep_learning, multi_timeframe, sentiment },
    layers_as_of: isoTime(kept.asOfMs),
    composite_score: composite,
    ...chanceView({ value: chance, reason, version: stackVersion }),
  };
}
