import { z } from "zod";

const mean = z.number().nullable();
const figures = {
  detections: z.number().int(),
  avg_confidence: mean.describe("Of the measured hit rates, 0..1; null where none was measured"),
  avg_quality: mean,
};
const ended = {
  trades: z.number().int(),
  win_rate: z.number().describe("0..1"),
  avg_pnl: mean.describe("Of the trades that tell one"),
};
const metaSchema = z.object({
  window: z.number().int().describe("Days"),
  since: z.iso.datetime(),
  pattern: z.string().nullable(),
  symbol: z.string().nullable(),
  synthetic: z.boolean(),
});

export const performanceSchema = z
  .object({
    overall: z.object({ ...figures, patterns: z.number().int(), symbols: z.number().int() }),
    by_pattern: z.array(z.object({ pattern: z.string(), name: z.string(), ...figures })),
    by_symbol: z.array(z.object({ symbol: z.string(), ...figures })).describe("The 25 with most"),
    meta: metaSchema,
  })
  .meta({ id: "PatternPerformance" });

export const summarySchema = z
  .object({
    detections: z.object({ count: z.number().int(), note: z.string() }),
    outcomes: z.object({
      available: z.boolean(),
      by_pattern: z.array(z.object({ pattern: z.string(), ...ended })).describe("As users reported them"),
      by_symbol: z.array(z.object({ symbol: z.string(), ...ended })),
      measured: z
        .array(z.object({ pattern: z.string(), trades: z.number().int(), win_rate: mean }))
        .describe("Of every detection since deployment, by the trade policy of the evidence"),
    }),
    meta: metaSchema,
  })
  .meta({ id: "PatternPerformanceSummary" });
