import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE_NAMES } from "../../src/core/learning/samples.js";
import { ASSET_CLASSES } from "../../src/features/models/schema.js";
import { PASSED, PURPOSE } from "../fixtures/models.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const INTERVALS = ["1h", "15m", "5m", "1d"];
/** Of all lots, in each of which it was tried. */
const ALL = {
  assetClass: "any",
  interval: "any",
  metrics: {
    lots: ASSET_CLASSES.flatMap((each) =>
      INTERVALS.map((timeframe) => ({
        ...{ asset_class: each, timeframe, samples: 500 },
        ...{ auc: 0.7, auc_low: 0.6, serves: true },
      })),
    ),
  },
};

let program: TestProgram;
let of: string;

beforeAll(async () => {
  program = await startScannedProgram();
  await program.parts.models.registry.enter(trainedModel(telling(1), ALL), PASSED, TRAINED);
  const { alerts } = await get("/api/alerts?limit=100");
  const symbols = new Set<string>(alerts.map(({ symbol }: Record<string, string>) => symbol));
  const asked = [...symbols].flatMap((symbol) =>
    INTERVALS.map((interval) => `symbol=${symbol}&timeframe=${interval}`),
  );
  for (const query of asked) {
    if ((await get(`/api/ml/score?${query}`)).status !== 200) continue;
    of = query;
    break;
  }
}, 120_000);
afterAll(() => program.close());

async function get(url: string) {
  const answer = await program.call(url);
  return { status: answer.statusCode, ...answer.json() };
}

describe("GET /api/ml/feature-contrib", () => {
  it("200 tells as many features as are asked for, which with the base and the rest sum to the score", async () => {
    const proofOf = async (id: number) => (await get(`/api/ml/scores/${id}/proof`)).data;
    for (const [limit, told] of [
      ["", 10],
      ["&limit=3", 3],
      ["&limit=1000", SAMPLE_NAMES.length],
    ] as const) {
      const { status, data, contributions, base_value, rest, log_odds } = await get(
        `/api/ml/feature-contrib?${of}${limit}`,
      );
      expect(status).toBe(200);
      expect(contributions).toHaveLength(told);
      const added = contributions.map(({ contribution }: { contribution: number }) => contribution);
      const sum = added.reduce((total: number, part: number) => total + part, 0);
      const { stored } = await proofOf(data.score_id);
      expect(log_odds).toBeCloseTo(base_value + sum + rest, 9);
      expect(1 / (1 + Math.exp(-log_odds))).toBeCloseTo(stored.raw, 9);
      if (told === SAMPLE_NAMES.length) expect(rest).toBe(0);
      const sizes = added.map(Math.abs);
      expect(sizes).toEqual(sizes.toSorted((a: number, b: number) => b - a));
    }
    expect((await get(`/api/ml/feature-contrib?${of}&limit=0`)).status).toBe(400);
  });

  it("200 says of a score whether trades are told by it", async () => {
    const { database, models } = program.parts;
    const first = await get(`/api/ml/score?${of}`);
    const [row] = await database.query<{ shadow: boolean }>("select shadow from model_scores where id = $1", [
      first.score_id,
    ]);
    expect(first.counts).toBe(!row.shadow);
    // Another version takes over while the pattern is still on the chart: it speaks, and counts for nothing.
    const { version } = await models.registry.enter(trainedModel(telling(2), ALL), PASSED, TRAINED);
    await models.registry.promote({ ...PURPOSE, assetClass: "any", interval: "any" }, version, {
      actor: "test",
      reason: "a test",
      numbers: {},
    });
    const second = await get(`/api/ml/score?${of}`);
    expect(second).toMatchObject({ status: 200, counts: false, model_metadata: { version } });
    expect(second.score_id).not.toBe(first.score_id);
  });
});
