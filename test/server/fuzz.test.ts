import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { INTERVALS } from "../../src/core/market/interval.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { modelChain, recordedBody } from "../fixtures/options.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type MadeRequest, requestsOf } from "../fixtures/requests-of-spec.js";
import { sized } from "../fixtures/sizes.js";
import { createSpecChecker, isStream, type Spec } from "../fixtures/spec.js";

/** `FUZZ_REQUESTS=50000 npx vitest run test/server/fuzz` makes as many; `FUZZ_SEED` repeats a run. */
const MANY = 16_000;
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? sized({ usual: 3_200, full: MANY }));
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_121);
const SLOW_MS = 1_000;
/** Of these no request succeeds: they ask for what others made, by a name that nobody guesses. */
const SILENT: readonly string[] = [
  "alpacaAddToWatchlist",
  "alpacaAddToWatchlistByName",
  "alpacaCancelOrder",
  "alpacaClosePosition",
  "alpacaCoinQuotes",
  "alpacaCoinTrades",
  "alpacaDeleteWatchlist",
  "alpacaDeleteWatchlistByName",
  "alpacaDoNotExercise",
  "alpacaExercise",
  "alpacaLatestBarOfShare",
  "alpacaLatestOptionQuotes",
  "alpacaLatestOptionTrades",
  "alpacaLatestQuoteOfShare",
  "alpacaLatestTradeOfShare",
  "alpacaMarketCalendar",
  "alpacaOptionBars",
  "alpacaOptionChain",
  "alpacaOptionSnapshots",
  "alpacaOptionTrades",
  "alpacaOrder",
  "alpacaOrderByClientId",
  "alpacaOrders",
  "alpacaPlaceOrder",
  "alpacaPosition",
  "alpacaQuotesOfShare",
  "alpacaRemoveFromWatchlist",
  "alpacaReplaceOrder",
  "alpacaReplaceWatchlist",
  "alpacaReplaceWatchlistByName",
  "alpacaShareQuotes",
  "alpacaShareTrades",
  "alpacaTradesOfShare",
  "alpacaWatchlist",
  "alpacaWatchlistByName",
  "answerAlert",
  "callHook",
  "callHookBySecret",
  "cancelPaperOrder",
  "changeHook",
  "changeNotificationChannel",
  "closePaperAccount",
  "closePaperTrade",
  "closePaperTradeById",
  "closePosition",
  "compareModels",
  "compareStrategies",
  "decideAction",
  "deleteHook",
  "deleteNotificationChannel",
  "deleteRule",
  "detectDeep",
  "detectFusedFormerly",
  "dismissAlert",
  "dismissAlertAlias",
  "drawDetection",
  "endMcpSession",
  "executePaperTrade",
  "executePaperTradeFromAlert",
  "explainAlert",
  "explainReasoning",
  "explainScore",
  "exportModel",
  "exportPaperAccount",
  "getAlert",
  "getDetection",
  "getExitSignals",
  "getHook",
  "getHookCall",
  "getJobResult",
  "getModel",
  "getModelInfo",
  "getNotificationChannel",
  "getNotificationDelivery",
  "getPaperAccount",
  "getPaperOrder",
  "getPaperTrade",
  "getPipelineIndicators",
  "getPipelineMatrices",
  "getRule",
  "getScoredTrade",
  "haltPaperAccount",
  "importModel",
  "importPaperAccount",
  "judgeDetection",
  "listHookCalls",
  "listTradesByFeature",
  "openMcpStream",
  "openPaperAccount",
  "orderBacktest",
  "orderBacktestCompare",
  "orderBacktestReconcile",
  "orderBacktestRegression",
  "orderBacktestSweep",
  "orderBacktestWalkForward",
  "orderDataSet",
  "orderLookahead",
  "orderPerformanceBackfill",
  "orderReplayTicks",
  "orderTrain",
  "orderTrainDeep",
  "orderTryModel",
  "pauseRule",
  "placePaperOrder",
  "placePaperTrade",
  "promoteModel",
  "proveDetection",
  "proveLayers",
  "proveScore",
  "reconcileBacktest",
  "redeemConfirmation",
  "refuseJob",
  "replacePaperOrder",
  "replaceRule",
  "replayNotificationDelivery",
  "reportOutcome",
  "resetPaperAccount",
  "resumePaperAccount",
  "resumeRule",
  "revokeApiKey",
  "rollBackModel",
  "rotateHook",
  "rotateNotificationSecret",
  "runBacktest",
  "saveRiskSettings",
  "scoreSymbol",
  "testNotificationChannel",
];

const folder = mkdtempSync(join(tmpdir(), "tx-fuzz-"));
let program: TestProgram;

beforeAll(async () => {
  const FILES_DIR = writeMarketFiles(folder);
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR } });
  const expiries = ["2024-01-12", "2024-02-16"].map(dayOf);
  const time = Date.parse("2024-01-03T15:00:00Z");
  for (const underlying of ["AAPL", "MSFT"]) {
    const chain = modelChain({ underlying, time, spot: 100, volatility: 0.2, expiries });
    const payload = recordedBody(chain);
    await program.call({ method: "POST", url: "/api/options/snapshots", payload });
  }
  // What is timed is the server, not the first reading of a file nor the start of a thread.
  await program.call({ method: "POST", url: "/api/detect", payload: { symbol: "AAPL" } });
  for (const symbol of ["AAPL", "BTC-USD", "ETH-USD"]) {
    for (const interval of INTERVALS)
      await program.call(`/api/candles/${symbol}?interval=${interval}&limit=5000`);
  }
}, 120_000);
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function timed(made: MadeRequest) {
  const started = performance.now();
  const answer = await program.server.inject({
    method: made.method as "GET",
    url: made.url,
    ...(made.body === undefined
      ? {}
      : { payload: made.body, headers: { "content-type": made.contentType ?? "application/json" } }),
  });
  return { answer, tookMs: performance.now() - started };
}

describe(`${REQUESTS} requests made from the document`, () => {
  it("get declared answers within a second each, and never a failure", {
    timeout: 120_000 + REQUESTS * 20,
  }, async () => {
    const spec = program.server.swagger() as unknown as Spec;
    const check = createSpecChecker(spec);
    const operations = Object.entries(spec.paths)
      .flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
      )
      // Those that answer for as long as something happens have tests of their own.
      .filter(({ operation }) => operation.responses[101] === undefined && !isStream(operation));
    const statuses = new Map<number, number>();
    const succeeded = new Set<string>();
    let slowestMs = 0;

    const problemsOf = async (made: MadeRequest): Promise<string[]> => {
      const { answer, tookMs } = await timed(made);
      slowestMs = Math.max(slowestMs, tookMs);
      statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
      if (answer.statusCode < 300) succeeded.add(made.operationId);
      const found = check(made.method, made.url, answer);
      if (answer.statusCode >= 500) found.push(`answered ${answer.statusCode} ${answer.body}`);
      // Slow four times in a row: fewer may be the machine.
      let fastestMs = tookMs;
      for (let k = 0; k < 3 && fastestMs > SLOW_MS; k++)
        fastestMs = Math.min(fastestMs, (await timed(made)).tookMs);
      if (fastestMs > SLOW_MS) found.push(`took ${Math.round(fastestMs)} ms`);
      return found;
    };

    const numRuns = Math.ceil(REQUESTS / operations.length);
    const failures: string[] = [];
    for (const { path, method, operation } of operations) {
      const report = await fc.check(
        fc.asyncProperty(requestsOf(spec, path, method, operation), async (made) => {
          const found = await problemsOf(made);
          if (found.length > 0) throw new Error(found.join("; "));
        }),
        { numRuns, seed: SEED, endOnFailure: false, interruptAfterTimeLimit: 60_000 },
      );
      if (report.failed) {
        failures.push(
          `${JSON.stringify(report.counterexample)}: ${String(report.errorInstance).slice(0, 400)}`,
        );
      }
    }
    const counts = Object.fromEntries([...statuses].sort(([a], [b]) => a - b));
    const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `fuzz: ${total} requests, seed ${SEED}, ${JSON.stringify(counts)}, slowest ${Math.round(slowestMs)} ms\n`,
    );
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThanOrEqual(REQUESTS);
    // Generated requests reach the handlers: most operations have succeeded at least once.
    const silent = operations
      .map(({ operation }) => operation.operationId)
      .filter((id) => !succeeded.has(id));
    // With a fifth of the requests some thirty more are unlucky.
    const unlucky = silent.filter((id) => !SILENT.includes(id));
    if (REQUESTS < MANY) expect(unlucky.length).toBeLessThan(40);
    else expect(silent.sort()).toEqual(SILENT);
  });
});
