import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SAMPLE_NAMES, SAMPLE_SCHEMA } from "../../src/core/learning/samples.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createScoreStore } from "../../src/features/models/scores.js";
import { createLabelStore } from "../../src/features/retraining/label-store.js";
import type { Database } from "../../src/platform/database.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { PURPOSE } from "../fixtures/models.js";
import { mixed, settleAlerts } from "../fixtures/settled-alerts.js";

const MARKET = { synthetic: false, replay: null };

let server: TestDatabase;
let database: Database;
let instrument: KnownInstrument;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server, { poolSize: 4 });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, outcomes restart identity cascade");
  instrument = await saveInstrument(database, "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
});

describe("what models were shown of late", () => {
  it("counts what models were shown of alerts as drift, and not what somebody asked of them", async () => {
    const labels = createLabelStore(database, MARKET);
    const shown = () =>
      labels.snapshots({ ...PURPOSE, assetClass: "crypto", interval: "5m" }, SAMPLE_SCHEMA, {
        limit: 500,
        ofBlock: 25,
      });
    await settleAlerts({ database, instrument }, 0, mixed(3));
    expect(await shown()).toHaveLength(3);
    await createScoreStore(database, MARKET).record(
      [40, 41].map((bar) => {
        const { barTime, closedAt, pattern } = detectionAt(instrument, bar);
        return {
          ...{
            instrumentId: instrument.id,
            interval: "5m",
            barTime,
            closedAt,
            pattern,
            direction: 1 as const,
          },
          ...{
            regime: null,
            schema: SAMPLE_SCHEMA,
            values: new Float64Array(SAMPLE_NAMES.length),
            scores: [],
          },
        };
      }),
    );
    expect(await labels.counts()).toMatchObject({ snapshots: 5 });
    expect((await shown()).map(({ block }) => block)).toEqual(
      Array(3).fill(expect.stringMatching(/^5m \d+$/)),
    );
  });
});
