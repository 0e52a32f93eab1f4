import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { reproduce } from "../../bench/learning-reproduce.js";
import { DataSetRefused } from "../../src/core/learning/data-set.js";
import { AppError } from "../../src/platform/errors.js";
import { writeDailyFiles } from "../fixtures/candle-files.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { sized } from "../fixtures/sizes.js";

const SYMBOLS = ["AAPL", "KO"];
const DAYS = sized({ usual: 1_200, full: 1_400 });
const FROM = Date.UTC(2009, 0, 1);
const TO = Date.UTC(2025, 0, 1);
const PURPOSE = { asset_class: "equity", timeframe: "1d" };
const folder = mkdtempSync(join(tmpdir(), "tx-exchange-"));

type File = Record<string, unknown> & {
  hash: string;
  artefact: string;
  columns: string[];
  data_hash: string;
  version: string;
};

let program: TestProgram;
let modelId: number;
let file: File;

beforeAll(async () => {
  const files = writeDailyFiles(folder, SYMBOLS, DAYS);
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: files } });
  const { candles, instruments } = program.parts;
  for (const symbol of SYMBOLS) await candles.ensureStored(await instruments.resolve(symbol), "1d", FROM, TO);
  const { data } = (await post("/api/ml/train", PURPOSE)).json();
  await ended(data.id);
  const models = (await program.call("/api/ml/models")).json().data;
  modelId = models.find((each: { grouping: string }) => each.grouping === "regime").id;
  file = (await program.call(`/api/ml/models/${modelId}/export`)).json().data;
}, 120_000);
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });
const take = (changed: Record<string, unknown>) => post("/api/ml/import", { data: { ...file, ...changed } });

/** Runs what waits, to its end. @returns what the job found. */
async function ended(id: number) {
  for (let look = 0; look < 1_800; look++) {
    await program.parts.jobFeature.taking?.run(Date.now(), new AbortController().signal);
    const { data } = (await program.call(`/api/jobs/${id}`)).json();
    if (data.status === "failed") throw new Error(data.error);
    if (data.status === "succeeded") return (await program.call(`/api/jobs/${id}/result`)).json().data;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the job does not end");
}

const actions = async (id: number) =>
  (await program.call(`/api/ml/audits?model_id=${id}`))
    .json()
    .data.map(({ action, to }: { action: string; to: string }) => `${action} ${to}`);

describe("GET /api/ml/models/:id/export", () => {
  it("200 with the artefact of the hash, the card and the metrics", async () => {
    const digest = createHash("sha256").update(Buffer.from(file.artefact, "base64")).digest("hex");
    const { data } = (await program.call(`/api/ml/models/${modelId}`)).json();
    expect(digest).toBe(data.hash);
    expect(file).toMatchObject({ hash: data.hash, metrics: data.metrics, card: data.card });
    expect(file.columns).toEqual(data.features);
  });

  it("404 for a version that there is not", async () => {
    expectProblem(await program.call("/api/ml/models/999999/export"), "model_not_found");
  });
});

describe("POST /api/jobs/data-set", () => {
  it("202, and a model that is learned from the file again has the hash of the stored one", async () => {
    const { id } = (await post("/api/jobs/data-set", PURPOSE)).json();
    const text = JSON.stringify(await ended(id));
    const again = reproduce(text, 1, "regime");
    expect(again).toMatchObject({ hash: file.hash, data_hash: file.data_hash });
    expect(reproduce(text, 2, "regime").hash).not.toBe(file.hash);
    const names = JSON.parse(text);
    expect(() => reproduce(JSON.stringify({ ...names, schema: "00000000" }), 1, "regime")).toThrow(/digest/);
  }, 60_000);
});

describe("POST /api/ml/import", () => {
  const bytes = () => Buffer.from(file.artefact, "base64");
  const repacked = (artefact: Buffer) => ({
    artefact: artefact.toString("base64"),
    hash: createHash("sha256").update(artefact).digest("hex"),
  });
  /** An artefact that was never here. */
  const another = (more: number) => {
    const artefact = JSON.parse(bytes().toString("utf8"));
    artefact.weights.bins[0].counts[0] += more;
    return repacked(Buffer.from(JSON.stringify(artefact)));
  };
  const turned = <T>([first, second, ...rest]: readonly T[]) => [second, first, ...rest];

  it.each<[string, () => Partial<File>]>([
    ["another hash", () => ({ hash: "0".repeat(64) })],
    [
      "a byte that was changed",
      () => ({
        artefact: Buffer.from(bytes().map((each, i) => (i === 40 ? each ^ 1 : each))).toString("base64"),
      }),
    ],
    ["half an artefact", () => repacked(bytes().subarray(0, bytes().length / 2))],
    ["another feature schema", () => ({ feature_schema: "00000000" })],
    ["columns in another order", () => ({ columns: turned(file.columns) })],
    [
      "weights of columns in another order",
      () => {
        const artefact = JSON.parse(bytes().toString("utf8"));
        artefact.weights.trees.global.names = turned(artefact.weights.trees.global.names);
        return repacked(Buffer.from(JSON.stringify(artefact)));
      },
    ],
    [
      "weights without a bin",
      () => {
        const artefact = JSON.parse(bytes().toString("utf8"));
        artefact.weights.bins.pop();
        return repacked(Buffer.from(JSON.stringify(artefact)));
      },
    ],
    ["another learner", () => ({ learner: "layer_stack" })],
  ])("422 for %s, and stores nothing", async (_, changed) => {
    const before = (await program.call("/api/ml/models")).json().data.length;
    expectProblem(await take(changed()), "model_refused");
    expect((await program.call("/api/ml/models")).json().data).toHaveLength(before);
  });

  const stored = async () => (await program.call("/api/ml/models")).json().data.length;

  it.each<[string, Record<string, unknown>, string]>([
    ["more samples than can be counted", { samples: 1e15 }, "samples"],
    ["a seed that is none", { seed: 1e12 }, "seed"],
    ["text that cannot be stored", { parameters: { note: "\0" } }, ""],
  ])("400 for %s, and stores nothing", async (_, changed, detail) => {
    const before = await stored();
    expectProblem(await take(changed), "invalid_request", detail);
    expect(await stored()).toBe(before);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["trees without groups", { grouping: "none" }, "grouping"],
    ["what no stored series is of", { asset_class: "fx", timeframe: "1w" }, "fx 1w"],
    ["an asset class at every interval", { timeframe: "any" }, "equity any"],
  ])("422 for %s, and stores nothing", async (_, changed, detail) => {
    const before = await stored();
    expectProblem(await take(changed), "model_refused", detail);
    expect(await stored()).toBe(before);
  });

  it("422 with the candidate refused where no job can be ordered for it", async () => {
    const { jobs } = program.parts.jobFeature;
    const full = vi.spyOn(jobs, "enqueue").mockRejectedValueOnce(new AppError("job_limit_exceeded", "full"));
    const before = await stored();
    expectProblem(await take({}), "job_limit_exceeded");
    full.mockRestore();
    const [newest] = (await program.call("/api/ml/models")).json().data;
    expect(await stored()).toBe(before + 1);
    expect(newest.status).toBe("refused");
    expect(await actions(newest.id)).toEqual(["refused refused", "imported candidate"]);
  });

  it("202 as a candidate that serves nothing while no decision came after what it learned from", async () => {
    const { data, job } = (await take({})).json();
    expect(data).toMatchObject({ status: "candidate", hash: file.hash, auc: null });
    const found = await ended(job.id);
    expect(found).toMatchObject({ status: "candidate", reason: "too_few_samples", samples: 0 });
    const promoted = await post("/api/ml/promote", { ...PURPOSE, to_version: data.version });
    expectProblem(promoted, "promotion_refused");
    expect(await actions(data.id)).toEqual(["imported candidate"]);
  });

  it.each([null, "1970-01-02T00:00:00.000Z"])(
    "202 as a candidate that no decision before its import counts for, though its file says it learned until %s",
    async (last) => {
      const claims = {
        ...another(last === null ? 1 : 2),
        last_decision: last,
        samples: 1,
        card: null,
        data_hash: "0".repeat(64),
      };
      const { data, job } = (await take(claims)).json();
      const found = await ended(job.id);
      expect(found).toMatchObject({ status: "candidate", reason: "too_few_samples", samples: 0 });
      expect(await actions(data.id)).toEqual(["imported candidate"]);
      const { id } = (await post("/api/jobs/try-model", { model_id: data.id })).json();
      expect(await ended(id)).toMatchObject({ status: "candidate", samples: 0 });
    },
  );

  it("202, and the rules of promotion try a model that was trained here on decisions after its own", async () => {
    const made = another(3);
    await program.parts.database.query(
      `insert into models (synthetic, replay, learner, asset_class, interval, grouping, version, status, hash, data_hash,
         feature_schema, columns, seed, parameters, metrics, card, artefact, samples, last_decision, job_id)
       select synthetic, replay, learner, asset_class, interval, grouping, '0.1.0', 'refused', $2, data_hash, feature_schema,
         columns, seed, parameters, metrics, card, decode($3, 'base64'), samples, '2009-06-01', job_id
       from models where id = $1`,
      [modelId, made.hash, made.artefact],
    );
    const { data, job } = (await take(made)).json();
    const found = await ended(job.id);
    expect(found.samples).toBeGreaterThanOrEqual(200);
    // A walk teaches nothing: a rule refuses it, and says by which values.
    expect(found).toMatchObject({ status: "refused", reason: null });
    expect(found.checks.find(({ rule }: { rule: string }) => rule === found.refused_by)).toMatchObject({
      passed: false,
    });
    expect(await actions(data.id)).toEqual(["refused refused", "imported candidate"]);
  });
});

describe("POST /api/jobs/data-set for a version", () => {
  it("202, and the file is what it learned from, though bars have come since", async () => {
    const { database } = program.parts;
    // Bars of the year before once more, on the same weekdays.
    await database.query(
      `insert into candles select (jsonb_populate_record(c, jsonb_build_object('time', c.time + interval '364 days'))).*
       from candles c where c.time > (select max(time) from candles) - interval '363 days'`,
    );
    const { id: now } = (await post("/api/jobs/data-set", PURPOSE)).json();
    const { id } = (await post("/api/jobs/data-set", { model_id: modelId })).json();
    const text = JSON.stringify({ success: true, data: await ended(id) });
    expect(reproduce(text, 1, "regime")).toMatchObject({ hash: file.hash, data_hash: file.data_hash });
    expect((await ended(now)).sha256).not.toBe(file.data_hash);
  }, 60_000);

  it("202 for all that is stored together", async () => {
    const { id } = (await post("/api/jobs/data-set", { asset_class: "any", timeframe: "any" })).json();
    expect((await ended(id)).sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("400 for half of what is needed, or more than that", async () => {
    for (const order of [
      {},
      { asset_class: "any", timeframe: "1d" },
      { asset_class: "equity", timeframe: "any" },
      { model_id: modelId, ...PURPOSE },
      { model_id: modelId, lookback: "30d" },
    ])
      expectProblem(await post("/api/jobs/data-set", order), "invalid_request", "asset_class");
  });

  it("is refused in words where a file is none", () => {
    for (const text of ["", "{", "[]", '{"success":true,"data":null}', '{"success":true,"data":{}}'])
      expect(() => reproduce(text, 1, "regime")).toThrow(DataSetRefused);
  });
});
