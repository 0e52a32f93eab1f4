import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createLoop } from "../../src/platform/loop.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createTestDatabase } from "../fixtures/database.js";
import { eventually } from "../fixtures/faults.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const ORDER = { symbols: ["AAPL"], interval: "1d", from: "2024-01-02", to: "2024-01-10" };

/** Orders a back-fill and has it done. */
async function backfilled(program: TestProgram): Promise<number> {
  const { clock, log, metrics, jobFeature } = program.parts;
  if (jobFeature.taking === null) throw new Error("the program takes no jobs");
  const loop = createLoop({ ...jobFeature.taking, everyMs: () => 50 }, { clock, log, metrics });
  loop.start();
  const { id } = (await order(program)).json();
  await eventually(`job ${id} has ended`, async () => {
    const { data } = (await program.call(`/api/jobs/${id}`)).json();
    return data.finished_at !== null;
  });
  await loop.stop();
  return id;
}

const order = (program: TestProgram, key?: string) =>
  program.call({
    method: "POST",
    url: "/api/jobs/backfill",
    payload: ORDER,
    ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
  });

it("jobs of a synthetic market say so after the server has changed to a real one", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const before = await startTestProgram({ database });
  const invented = await backfilled(before);
  const waiting = (await order(before, "again")).json().id;
  await before.close();
  const folder = mkdtempSync(join(tmpdir(), "tx-jobs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = await startTestProgram({
    database,
    environment: { MARKET_DATA: "files", FILES_DIR: writeMarketFiles(folder) },
  });
  onTestFinished(() => program.close());
  const get = async (path: string) => (await program.call(path)).json();

  const { data: listed, synthetic } = await get("/api/jobs");
  expect(synthetic).toBeUndefined();
  expect(listed.map((job: Record<string, unknown>) => [job.id, job.synthetic])).toEqual([
    [waiting, true],
    [invented, true],
  ]);
  expect(await get(`/api/jobs/${invented}`)).toMatchObject({ synthetic: true, data: { synthetic: true } });
  expect(await get(`/api/jobs/${invented}/result`)).toMatchObject({
    synthetic: true,
    data: { series: [{ sources: ["synthetic"] }] },
  });
  expect((await program.call(`/api/jobs/${invented}/events`)).body).toContain('"synthetic":true');
  expect((await order(program, "again")).json()).toMatchObject({ id: waiting, synthetic: true });
  const { json } = await program.call({ method: "POST", url: `/api/jobs/${invented}/cancel` });
  expect(json()).toMatchObject({ code: "conflict", detail: expect.stringContaining("has succeeded") });

  // What waited is done on the market that there is now, and so is what is ordered now.
  const real = await backfilled(program);
  for (const id of [waiting, real]) {
    await eventually(`job ${id} is of the real market`, async () => {
      const { data, synthetic: label } = await get(`/api/jobs/${id}`);
      return data.attempts === 1 && data.synthetic === false && label === undefined;
    });
  }
});
