import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { inventedPrices, missingLabels, syntheticTraces } from "../fixtures/labels.js";
import { modelChain, recordedBody } from "../fixtures/options.js";
import { plainService } from "../fixtures/plain-yahoo.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { goodRequestsOf, type MadeRequest } from "../fixtures/requests-of-spec.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { sized } from "../fixtures/sizes.js";
import { isStream, type Spec } from "../fixtures/spec.js";
import { startVendor } from "../fixtures/vendor.js";
import { yahooAt } from "../fixtures/yahoo.js";

const SEED = 20_261_128;
/** Each kind of job is ordered several times, and none is run. */
const MANY_JOBS = { JOBS_PER_USER: "100" };
/** Requests of an operation, and at most so many until one succeeds. */
const LEAST = sized({ usual: 1, full: 3 });
const MOST = 40;
/** Of these nothing succeeds without what a request before them gave, or ever. */
const NEEDS_MORE = [
  // No option is held by anybody.
  "alpacaExercise",
  "alpacaDoNotExercise",
  "alpacaAddToWatchlist",
  "alpacaAddToWatchlistByName",
  "alpacaCoinQuotes",
  "alpacaCoinTrades",
  "alpacaConditions",
  "alpacaContract",
  "alpacaLatestBarOfShare",
  "alpacaLatestOptionQuotes",
  "alpacaLatestOptionTrades",
  "alpacaLatestQuoteOfShare",
  "alpacaMarketCalendar",
  "alpacaOptionBars",
  "alpacaOptionSnapshots",
  "alpacaOptionTrades",
  "alpacaQuotesOfShare",
  "alpacaShareQuotes",
  "alpacaShareTrades",
  "alpacaTradesOfShare",
  "alpacaWatchlist",
  "alpacaWatchlistByName",
  "answerAlert",
  "backtestPattern",
  // Of hooks that were made before, whose secrets nobody guesses.
  "callHook",
  "callHookBySecret",
  "compareModels",
  "compareStrategies",
  "decideAction",
  "detectDeep",
  "dismissAlert",
  "dismissAlertAlias",
  "getAlert",
  "detectFusedFormerly",
  "drawDetection",
  "explainAlert",
  "explainScore",
  "exportModel",
  "getDetection",
  "getHook",
  "getHookCall",
  "getJobResult",
  "getModel",
  "getModelInfo",
  "getNotificationChannel",
  "getNotificationDelivery",
  "getRule",
  // Gates, patterns and rules are of one kind of decisions each.
  "listDecisions",
  // Ticks of a symbol have to be sent before.
  "listTickBars",
  "listSynergies",
  "listPipelineDecisions",
  "getPipelineIndicators",
  "getPipelineMatrices",
  "getScoredTrade",
  "importModel",
  "judgeDetection",
  "listHookCalls",
  "listTradesByFeature",
  // There are no sessions.
  "openMcpStream",
  "orderBacktestCompare",
  "orderBacktestReconcile",
  "orderBacktestSweep",
  // There is no folder of files.
  "orderReplayTicks",
  "pauseRule",
  "promoteModel",
  "proveDetection",
  "proveLayers",
  "proveScore",
  "reconcileBacktest",
  "redeemConfirmation",
  "refuseJob",
  "replayNotificationDelivery",
  "resumeRule",
  "rollBackModel",
  "rotateHook",
  "rotateNotificationSecret",
  "scoreSymbol",
  // Values are of the parameters of a strategy, which no made-up name hits.
  "sweepParameters",
  "testNotificationChannel",
  // Of names for one thing, one may be given.
  "walkForward",
  "orderBacktestWalkForward",
  "runPatternList",
];
/** Of an account, its orders and trades, which are visited one after the other. */
const PAPER = [
  "openPaperAccount",
  "importPaperAccount",
  "placePaperTrade",
  "executePaperTrade",
  "executePaperTradeFromAlert",
  "closePosition",
  "closePaperTrade",
  "closePaperTradeById",
  "placePaperOrder",
  "resetPaperAccount",
  "closePaperAccount",
  "haltPaperAccount",
  "resumePaperAccount",
  "alpacaPlaceOrder",
  "getPaperTrade",
  "getPaperOrder",
  "getPaperAccount",
  "exportPaperAccount",
  "alpacaPortfolioHistory",
  "alpacaOrderByClientId",
  "alpacaOrder",
  "alpacaPosition",
];
/** The synthetic market has no options. */
const OPTIONS = ["loadOptionSnapshot", "getOptionChain", "getOptionAnalytics"];

interface Visited {
  readonly request: MadeRequest;
  readonly status: number;
  /** Null where the answer is no JSON. */
  readonly body: Record<string, unknown> | null;
}

/**
 * The answers of every operation of the document: those that change something first.
 * @param refused operations of which nothing succeeds.
 */
async function visitAll(program: TestProgram, refused: readonly string[]): Promise<Visited[]> {
  const spec = program.server.swagger() as unknown as Spec;
  const operations = Object.entries(spec.paths)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    )
    .filter(
      ({ method, operation }) =>
        /get|post/.test(method) && operation.responses[101] === undefined && !isStream(operation),
    )
    .sort((a, b) => Number(a.method === "get") - Number(b.method === "get"));
  const visited: Visited[] = [];
  const silent: string[] = [];
  const hrefs = new Set<string>();
  for (const { path, method, operation } of operations) {
    const requests = fc.sample(goodRequestsOf(spec, path, method, operation), { numRuns: MOST, seed: SEED });
    let succeeded = false;
    for (const [i, request] of requests.entries()) {
      if (i >= LEAST && (succeeded || refused.includes(operation.operationId))) break;
      const one = await visit(program, request);
      succeeded ||= one.status < 300;
      visited.push(one);
      if (typeof one.body?.href === "string") hrefs.add(one.body.href);
    }
    // What was ordered before has an address that no request made up would hit.
    if (operation.operationId === "getJob") {
      for (const url of hrefs) {
        const one = await visit(program, { method: "GET", url } as MadeRequest);
        succeeded ||= one.status < 300;
        visited.push(one);
      }
    }
    if (!succeeded) silent.push(operation.operationId);
  }
  expect(silent.filter((id) => !refused.includes(id))).toEqual([]);
  return visited;
}

async function visit(program: TestProgram, request: MadeRequest): Promise<Visited> {
  const { method, url, body, contentType } = request;
  const sent = body === undefined ? {} : { payload: body, headers: { "content-type": String(contentType) } };
  const answer = await program.server.inject({ method: method as "GET", url, ...sent });
  const isJson = /^application\/(\w+\+)?json/.test(String(answer.headers["content-type"]));
  return { request, status: answer.statusCode, body: isJson ? answer.json() : null };
}

/** A trade from its order to its close, and what is told of it and of its account. */
async function visitPaper(program: TestProgram): Promise<Visited[]> {
  const visited: Visited[] = [];
  const ask = async (method: "get" | "post", url: string, body?: object) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), contentType: "application/json" };
    const one = await visit(program, { method: method.toUpperCase(), url, ...sent } as MadeRequest);
    expect(one.status, `${method} ${url}: ${JSON.stringify(one.body)}`).toBeLessThan(300);
    visited.push(one);
    return (one.body ?? {}) as {
      data: { id: string; order_id: string; account_id: string; transactions: object[] };
    };
  };
  // Whatever requests before them allowed.
  await ask("post", "/api/risk-settings", {
    require_confirmation: false,
    max_position_size: 50_000,
    max_open_positions: 20,
    max_daily_trades: 1_000,
    max_daily_loss: 5_000,
    max_drawdown_limit: 100,
    diversification_limit: 10,
  });
  const { data: placed } = await ask("post", "/api/paper-trades", {
    symbol: "BTC",
    side: "buy",
    quantity: 0.01,
  });
  await ask("post", "/api/paper-trade/execute", { symbol: "BTC", side: "sell", qty: 0.005 });
  await ask("post", "/api/paper-trade/orders", {
    symbol: "ETH",
    side: "buy",
    quantity: 1,
    type: "limit",
    limit_price: 1,
    time_in_force: "gtc",
  });
  await ask("get", `/api/paper-trade/orders/${placed.order_id}`);
  await ask("get", `/api/paper-trade/accounts/${placed.account_id}`);
  const { data: kept } = await ask("get", `/api/paper-trade/accounts/${placed.account_id}/export`);
  await ask("post", "/api/paper-trade/accounts", { name: "Another" });
  await ask("post", "/api/paper-trade/accounts/import", {
    name: "Copy",
    transactions: kept.transactions,
  });
  await ask("get", "/api/paper-trades");
  await ask("get", "/api/trading-stats");
  await ask("get", "/api/paper-trades/performance");
  return visited;
}

const told = ({ request: { method, url } }: Visited, found: readonly string[]) =>
  found.slice(0, 3).map((each) => `${method} ${url}: ${each}`);

describe("what tells invented from real", () => {
  it("is found however deep it lies", () => {
    const prices = new Set([187.43]);
    const body = {
      synthetic: false,
      data: [{ a: { synthetic: true } }, { sources: ["files", "synthetic"] }, { rows: [{ close: 187.43 }] }],
    };
    expect(syntheticTraces(body, prices)).toEqual([
      ".data[0].a.synthetic = true",
      '.data[1].sources = ["files","synthetic"]',
      ".data[2].rows[0].close = 187.43",
    ]);
    expect(syntheticTraces({ data: { synthetic: { synthetic: false }, count: 187.43 } }, prices)).toEqual([]);
    expect(missingLabels({ data: {} })).toEqual(["synthetic is not true"]);
    expect(missingLabels({ synthetic: true, data: { quote: { source: "x", synthetic: false } } })).toEqual([
      ".data.quote.synthetic = false",
    ]);
  });
});

describe("a synthetic market", () => {
  it("is told of in every answer", { timeout: 300_000 }, async () => {
    const program = await startTestProgram({ environment: MANY_JOBS });
    onTestFinished(() => program.close());
    const answers = (await visitAll(program, [...NEEDS_MORE, ...PAPER, ...OPTIONS]))
      .concat(await visitPaper(program))
      .filter(
        ({ request, status, body }) => request.url.startsWith("/api/") && status < 300 && body !== null,
      );
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.flatMap((one) => told(one, missingLabels(one.body ?? {})))).toEqual([]);
  });

  it("is told of by no answer of a real one, nor are its prices", { timeout: 300_000 }, async () => {
    const vendor = await startVendor();
    onTestFinished(() => vendor.close());
    vendor.answer(plainService(Date.now));
    const program = await startScannedProgram({
      environment: {
        ...MANY_JOBS,
        MARKET_DATA: "files,yahoo",
        ...yahooAt(vendor.url),
      },
    });
    onTestFinished(() => program.close());
    for (const underlying of ["AAPL", "MSFT"]) {
      const expiries = ["2024-01-12", "2024-02-16"].map(dayOf);
      const time = Date.parse("2024-01-03T15:00:00Z");
      const payload = recordedBody(modelChain({ underlying, time, spot: 100, volatility: 0.2, expiries }));
      await program.call({ method: "POST", url: "/api/options/snapshots", payload });
    }
    const prices = await inventedPrices(
      program.parts.config.SYNTHETIC_SEED,
      ["AAPL", "MSFT", "BTC-USD", "ETH-USD"].map((symbol) => ensure(classifySymbol(symbol), symbol)),
      [
        { interval: "1d", fromMs: Date.now() - 100 * 86_400_000, toMs: Date.now() },
        { interval: "5m", fromMs: Date.parse("2024-01-04T15:00Z"), toMs: Date.parse("2024-01-05T21:00Z") },
      ],
      Date.now,
    );
    expect(prices.size).toBeGreaterThan(1_000);
    const answers = (
      await visitAll(program, [...NEEDS_MORE, ...PAPER, "alpacaSnapshotOfShare", "getIntraday"])
    ).filter(({ body }) => body !== null);
    expect(answers.length).toBeGreaterThan(200);
    expect(answers.flatMap((one) => told(one, syntheticTraces(one.body, prices)))).toEqual([]);
  });
});
