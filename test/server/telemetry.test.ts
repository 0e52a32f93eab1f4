import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE_SCHEMA } from "../../src/core/learning/samples.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import type { ModelVersion } from "../../src/features/models/store.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { PASSED, PURPOSE } from "../fixtures/models.js";
import { raiseAlerts } from "../fixtures/outcomes.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { telling, tellingSamples, trainedModel } from "../fixtures/trained.js";

const BY = { actor: "test", reason: "asked for", numbers: {} };
const TRAINED = { ...BY, action: "trained" as const };

let program: TestProgram;
let models: TestProgram["parts"]["models"];
let apple: KnownInstrument;
let first: ModelVersion;
let second: ModelVersion;
let crypto: ModelVersion;

beforeAll(async () => {
  program = await startTestProgram();
  ({ models } = program.parts);
  apple = await saveInstrument(program.parts.database, "AAPL", { synthetic: true });
  first = await models.registry.enter(trainedModel(telling(1)), PASSED, TRAINED);
  second = await models.registry.enter(trainedModel(telling(2)), PASSED, TRAINED);
  const ofCoins = { ...PURPOSE, assetClass: "crypto" };
  crypto = await models.registry.enter(trainedModel(telling(3), ofCoins), PASSED, TRAINED);
});
afterAll(() => program.close());

const get = async (url: string) => {
  const answer = await program.call(url);
  return { status: answer.statusCode, ...answer.json() };
};

/** Shows versions the `place`th bar. @param says by version, whether it is a shadow there. */
async function show(
  place: number,
  says: readonly (readonly [ModelVersion, boolean])[],
  schema = SAMPLE_SCHEMA,
) {
  const { samples } = tellingSamples(place + 1, 77);
  const { barTime, closedAt, pattern } = detectionAt(apple, place);
  const [kept] = await models.scores.record([
    {
      ...{
        instrumentId: apple.id,
        interval: "5m",
        barTime,
        closedAt,
        pattern,
        direction: 1,
        regime: null,
        schema,
      },
      values: Float64Array.from(samples.columns, (column) => column[place]),
      scores: says.map(([{ id }, shadow]) => ({ modelId: id, group: "", shadow, score: 0.5, raw: 0.5 })),
    },
  ]);
  return { ...kept, isCounted: kept.countedId === kept.scoreIds[0] };
}

/** An alert at the `place`th bar that came to an end. @returns number of its outcome. */
async function settle(place: number, source: "settled" | "user" = "settled"): Promise<number> {
  const { database } = program.parts;
  const [alert] = await raiseAlerts(database, apple, [detectionAt(apple, place)]);
  const [{ id }] = await database.query<{ id: number }>(
    `insert into outcomes (synthetic, source, policy, terms, alert_id, detection_id, instrument_id, symbol, interval,
       pattern, direction, ending, outcome, gain, r, settled_at)
     select true, $2, $3, $4, a.id, a.detection_id, a.instrument_id, 'AAPL', '5m', a.pattern, 1, $5, 'profit', 0.02, 1,
       now() from alerts a where a.id = $1 returning id`,
    source === "settled" ? [alert, source, "sltp", "levels", "target"] : [alert, source, null, null, null],
  );
  return id;
}

const tradesOf = async (outcome: number) => {
  const { data } = await get("/api/ml-telemetry/trades?limit=500");
  return data
    .filter(({ id }: { id: number }) => id === outcome)
    .map(({ model_version }: { model_version: string }) => model_version);
};

describe("the version that counts for a trade", () => {
  it("200 is the one that served when its pattern was seen, whatever is asked afterwards", async () => {
    const seen = await show(1, [
      [first, false],
      [second, true],
    ]);
    expect(seen.isCounted).toBe(true);
    // The second takes over, and somebody asks again while the pattern is still on the chart.
    expect((await show(1, [[second, false]])).isCounted).toBe(false);
    expect((await show(1, [[crypto, false]])).isCounted).toBe(false);
    expect(await show(1, [[first, false]])).toMatchObject({ isCounted: true, countedId: seen.countedId });
    const outcome = await settle(1);
    expect(await tradesOf(outcome)).toEqual([first.version]);
    const { data } = await get("/api/ml-telemetry/versions");
    expect(
      data.map((each: Record<string, unknown>) => [each.asset_class, each.model_version, each.trades]),
    ).toEqual([["equity", first.version, 1]]);
    expect((await get(`/api/ml-telemetry/trades/${outcome}`)).data.model_version).toBe(first.version);
  });

  it("200 is none where none served then", async () => {
    await show(2, []);
    await show(2, [[first, false]]);
    expect(await tradesOf(await settle(2))).toEqual([]);
  });

  it("200 is one where the features have changed since", async () => {
    await show(3, [[first, false]]);
    await show(3, [[second, false]], "another");
    expect(await tradesOf(await settle(3))).toEqual([first.version]);
  });

  it("200 is one of many that score the same moment at once", async () => {
    const versions = [first, second, crypto];
    await Promise.all(
      versions.flatMap((version) => [show(4, [[version, false]]), show(4, [[version, false]])]),
    );
    expect(await tradesOf(await settle(4))).toHaveLength(1);
    const counted = await program.parts.database.query(
      `select s.id from model_scores s join feature_snapshots f on f.id = s.snapshot_id
       where f.bar_time = to_timestamp($1::float8 / 1000) and not s.shadow`,
      [detectionAt(apple, 4).barTime],
    );
    expect(counted).toHaveLength(1);
  });
});

describe("trades that are told of", () => {
  it("200 are counted in full, whatever the limit of the page", async () => {
    const { total, data } = await get("/api/ml-telemetry/trades?limit=1");
    expect(data).toHaveLength(1);
    expect(total).toBe(3);
  });

  it("200 hold those that users report on alerts, under their source", async () => {
    await show(5, [[first, false]]);
    const outcome = await settle(5, "user");
    const { data, total } = await get("/api/ml-telemetry/trades?source=user");
    expect(data.map(({ id }: { id: number }) => id)).toEqual([outcome]);
    expect(total).toBe(1);
  });

  it("200 are found by a whole version or the beginning of a hash, and by no pattern of letters", async () => {
    for (const wild of ["%25", "_", "______", first.hash.slice(4, 20)])
      expect(await get(`/api/ml-telemetry/trades?model_version=${wild}`)).toMatchObject({
        data: [],
        total: 0,
      });
    const { data } = await get(`/api/ml-telemetry/trades?model_version=${first.hash.slice(0, 12)}`);
    expect(data.length).toBeGreaterThan(0);
  });

  it("200, 400 tell apart versions of one number that are for different things", async () => {
    await show(6, [[crypto, false]]);
    await settle(6);
    const all = await get("/api/ml-telemetry/trades?model_version=1.0.0&limit=100");
    const coins = await get("/api/ml-telemetry/trades?model_version=1.0.0&asset_class=crypto");
    expect(coins.data.map(({ model }: { model: string }) => model)).toEqual([
      "gradient_trees:crypto:1d:regime",
    ]);
    expect(all.total).toBeGreaterThan(coins.total);
    const compare = (query: string) => get(`/api/ml-telemetry/compare?${query}`);
    const unclear = await compare(`a=1.0.0&b=${crypto.hash.slice(0, 16)}`);
    expect(unclear).toMatchObject({ status: 400, code: "invalid_request" });
    expect(unclear.error).toContain(first.hash.slice(0, 16));
    const { data } = await compare(`a=${first.hash.slice(0, 16)}&b=${crypto.hash.slice(0, 16)}`);
    expect([data.a.asset_class, data.b.asset_class]).toEqual(["equity", "crypto"]);
  });

  it("200 are compared by decisions, each once: by its levels, where bars tell them", async () => {
    const { database } = program.parts;
    const compared = async () =>
      (await get(`/api/ml-telemetry/compare?a=${first.hash.slice(0, 16)}&b=${crypto.hash.slice(0, 16)}`))
        .data;
    const before = await compared();
    const { settled, user } = before.decisions.a.by_source;
    expect(before.decisions.a).toMatchObject({ decisions: settled + user, wins: settled + user });
    expect(user).toBe(1);
    // Accounts and users say of each that it was lost, three times.
    const added = await database.query<{ id: number }>(
      `insert into outcomes (synthetic, source, detection_id, instrument_id, symbol, interval, pattern, direction, outcome, gain,
         settled_at)
       select true, s.source, o.detection_id, o.instrument_id, o.symbol, o.interval, o.pattern, 1, 'loss', -0.5, now()
       from outcomes o cross join unnest('{paper,user,user}'::text[]) s (source) where o.policy = 'sltp' returning id`,
    );
    const after = await compared();
    expect(after.a.trades).toBeGreaterThan(before.a.trades);
    const { a: _, b: __, ...same } = before;
    expect(after).toMatchObject(same);
    await database.query("delete from outcomes where id = any($1::bigint[])", [
      `{${added.map(({ id }) => id).join(",")}}`,
    ]);
  });
});

describe("an artefact that is altered while it serves", () => {
  it("200 is found by a proof: nothing serves in its place, health is degraded, and answers say why", async () => {
    const { scoreIds } = await show(7, [[first, false]]);
    const { database } = program.parts;
    const of = "asset_class=equity&timeframe=1d";
    expect(await get(`/api/ml/active-version?${of}`)).toMatchObject({
      active_version: "1.0.0",
      reason: null,
    });
    await database.query("alter table models disable trigger models_fixed");
    await database.query("update models set artefact = artefact || 'x'::bytea where id = $1", [first.id]);
    await database.query("alter table models enable trigger models_fixed");
    expect((await get(`/api/ml/scores/${scoreIds[0]}/proof`)).data.identical).toBe(false);
    const { reason, active_version } = await get(`/api/ml/active-version?${of}`);
    expect(active_version).toBeNull();
    expect(reason).toContain("gradient_trees:equity:1d:regime cannot be read");
    expect((await get("/health/detailed")).components.ml_models.status).toBe("degraded");
    const other = await get("/api/ml/active-version?asset_class=fx&timeframe=1d");
    expect(other.reason).toContain("No model has been promoted yet");
    const shown = {
      assetClass: "equity",
      interval: "1d",
      regime: null,
      pattern: "hammer",
      schema: SAMPLE_SCHEMA,
    };
    const counted = models.scoring.count({ ...shown, row: new Float64Array(97) });
    expect(counted).toMatchObject({ version: null, reason: expect.stringContaining("cannot be read") });
  });
});
