import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLoop, type Loop } from "../../src/platform/loop.js";
import { connectMcp, type McpCaller, SPEAKERS } from "../fixtures/mcp.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
let url: string;
let taking: Loop;
const open: McpCaller[] = [];

beforeAll(async () => {
  program = await startTestProgram();
  const { clock, log, metrics, jobFeature } = program.parts;
  if (jobFeature.taking === null) throw new Error("the program takes no jobs");
  taking = createLoop({ ...jobFeature.taking, everyMs: () => 50 }, { clock, log, metrics });
  url = await program.listen();
}, 60_000);
afterAll(async () => {
  for (const caller of open) await caller.close();
  await taking.stop();
  await program.close();
});

async function connect(speaker: (typeof SPEAKERS)[number]): Promise<McpCaller> {
  const caller = await connectMcp(speaker, url);
  open.push(caller);
  return caller;
}

const ORDER = {
  strategy: "golden_cross",
  symbols: ["AAPL"],
  start_date: "2018-01-01",
  end_date: "2022-01-01",
};

describe("get_job", () => {
  it("says that a job waits, and stops waiting when the caller cancels", async () => {
    const caller = await connect("2026-07-28");
    const { job_id, status, next } = await caller.call("run_backtest", ORDER);
    expect([status, next]).toEqual(["queued", expect.stringContaining(`job_id ${String(job_id)}`)]);
    expect(await caller.call("get_job", { job_id })).toMatchObject({ status: "queued", figures: null });
    const stopping = new AbortController();
    const waiting = caller.call("get_job", { job_id, wait_seconds: 45 }, { signal: stopping.signal });
    setTimeout(() => stopping.abort(), 300);
    const started = performance.now();
    await expect(waiting).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(5_000);
    // The job goes on: it was the waiting that was cancelled.
    expect(await caller.call("get_job", { job_id })).toMatchObject({ status: "queued" });
  });

  it("waits no longer than it is told", async () => {
    const caller = await connect("auto");
    const { job_id } = await caller.call("run_backtest", ORDER);
    const started = performance.now();
    const found = await caller.call("get_job", { job_id, wait_seconds: 0.5 });
    expect(found).toMatchObject({ status: "queued" });
    expect(performance.now() - started).toBeGreaterThan(450);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("ends its waiting when the server closes, and answers as things stand", async () => {
    const other = await startTestProgram();
    const caller = await connectMcp("2026-07-28", await other.listen());
    const { job_id } = await caller.call("run_backtest", ORDER);
    const waiting = caller.call("get_job", { job_id, wait_seconds: 9 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const started = performance.now();
    const closing = other.close();
    expect(await waiting).toMatchObject({ status: "queued" });
    await closing;
    expect(performance.now() - started).toBeLessThan(5_000);
    await caller.close();
  });

  it("names what is wrong with an order", async () => {
    const caller = await connect("auto");
    const wrong = { ...ORDER, start_date: "yesterday" };
    expect(await caller.fail("run_backtest", wrong)).toMatchObject({
      code: "invalid_request",
      problems: [{ path: "start_date" }],
    });
    expect(await caller.fail("run_backtest", { ...ORDER, parameters: { moon: 1 } })).toMatchObject({
      code: "invalid_request",
    });
    expect(await caller.fail("run_backtest", { ...ORDER, symbols: ["<>"] })).toMatchObject({
      code: "symbol_invalid",
    });
  });
});

describe.each(SPEAKERS)("run_backtest, spoken as %s,", (speaker) => {
  it("is followed with growing progress to its end, and its figures are told", {
    timeout: 60_000,
  }, async () => {
    taking.start();
    const caller = await connect(speaker);
    const { job_id } = await caller.call("run_backtest", ORDER);
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => heard.push(progress);
    let found = await caller.call("get_job", { job_id, wait_seconds: 30 }, { onprogress });
    while (found.status === "queued" || found.status === "running")
      found = await caller.call("get_job", { job_id, wait_seconds: 30 }, { onprogress });
    expect(found).toMatchObject({ kind: "backtest", status: "succeeded", percent: 100, error: null });
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.at(-1)).toBe(100);
    const { data } = (await program.call(`/api/jobs/${String(job_id)}/result`)).json();
    const figures = found.figures as Record<string, number | string | null>;
    for (const { name, value } of data.report.figures) expect(figures[name], name).toEqual(value);
    expect(JSON.stringify(found).length).toBeLessThan(6_000);
    expect(figures).toMatchObject({ "report.overfitting.trials": expect.any(Number) });
    expect(found.synthetic).toBe(true);
    const full = await caller.call("get_job", { job_id, detail: "full" });
    expect(JSON.parse(String(full.result_json))).toEqual(data);
    expect(JSON.stringify(full).length).toBeLessThan(40_000);
  });
});
