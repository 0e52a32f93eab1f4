import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { createSyntheticProvider } from "../../src/providers/synthetic.js";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { FAULTS } from "../fixtures/stand-in.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { quoteService } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:00:30Z");
const LIMIT_MS = 5_000;
const HOUR_MS = 3_600_000;

const clock = createManualClock(NOW);
/** All is well: prices, and a search that finds nothing. */
const well = () => {
  const prices = quoteService(clock.now);
  return (url: URL) => (url.pathname.endsWith("/search") ? { body: { quotes: [] } } : prices(url));
};
let vendor: Vendor;
let program: TestProgram;
let paths: readonly string[];
beforeAll(async () => {
  vendor = await startVendor();
  vendor.answer(well());
  const environment = {
    MARKET_DATA: "yahoo",
    YAHOO_BASE_URL: vendor.url,
    YAHOO_COOKIE_URL: `${vendor.url}/cookie`,
    YAHOO_FEED_URL: vendor.url,
    SCAN_SYMBOLS: "AAPL,MSFT,BTC-USD",
  };
  program = await startTestProgram({ clock, environment });
  paths = await mainRoutes();
  // Once while all is well: what is slow the first time has nothing to do with faults.
  await askAll(paths);
});
afterAll(async () => {
  await program.close();
  await vendor.close();
});

/** GET routes that ask for nothing but a symbol, at most. */
async function mainRoutes(): Promise<string[]> {
  const spec = (await program.call("/swagger.json")).json() as {
    paths: Record<string, { get?: { parameters?: { in: string; name: string; required?: boolean }[] } }>;
  };
  const found: string[] = [];
  for (const [path, { get }] of Object.entries(spec.paths)) {
    const needed = (get?.parameters ?? []).filter(({ required }) => required === true);
    const symbolAlone = needed.every(({ name, in: place }) => place === "path" && name === "symbol");
    if (get !== undefined && symbolAlone && path !== "/ws") found.push(path.replace("{symbol}", "AAPL"));
  }
  return [...found, "/api/candles?symbol=AAPL", "/api/search?q=apple", "/api/historical/MSFT?period=5y"];
}

interface Timed {
  readonly path: string;
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

function askAll(asked: readonly string[]): Promise<Timed[]> {
  return Promise.all(
    asked.map(async (path) => {
      const started = performance.now();
      // Not checked against the document here: compiling its schemas would take the time of others.
      const { statusCode: status, body } = await program.server.inject(path);
      return { path, status, body, ms: performance.now() - started };
    }),
  );
}

const health = async () => (await program.call("/api/provider-health")).json().data.yahoo;
const covered = async () => (await program.call("/api/coverage")).json().providers.health.yahoo;
const quote = async () => (await program.call("/api/market/AAPL")).json();

/** What the synthetic market would say of it. */
async function inventedPrice(): Promise<string> {
  const apple = ensure(classifySymbol("AAPL"), "AAPL");
  const found = await createSyntheticProvider(1, clock.now).fetchQuote(apple, new AbortController().signal);
  return String(ensure(found, "quote").price);
}

async function recover(): Promise<void> {
  vendor.answer(well());
  clock.advance(HOUR_MS + 1);
  expect((await quote()).data).toMatchObject({ stale: false, trouble: null, source: "yahoo" });
}

const NAMES = [
  "silence",
  "429 for two minutes",
  "401 with Invalid A",
  "502 with <!DOCTYPE",
  "a page",
  "half an answer",
  "a reset",
];

describe("while its only source is in trouble", () => {
  it("asks many routes", () => {
    expect(paths.length).toBeGreaterThan(30);
    expect(NAMES.filter((name) => !FAULTS.some((fault) => fault.name === name))).toEqual([]);
  });

  it.each(NAMES)(
    "%s: each answer comes in time, invents nothing and tells the truth",
    async (name) => {
      const fault = ensure(
        FAULTS.find((each) => each.name === name),
        name,
      );
      await recover();
      vendor.answer(() => fault.answer('{"chart":{"result":[{"meta":{}}]}}'));
      clock.advance(60_000);
      // Of the last two nothing is stored.
      const answers = await askAll([...paths, "/api/market/KO", "/api/candles/KO"]);
      const invented = await inventedPrice();
      for (const { path, status, body, ms } of answers) {
        expect(ms, path).toBeLessThan(LIMIT_MS);
        expect([200, 404, 503], `${path} ${body.slice(0, 200)}`).toContain(status);
        expect(body.includes('"synthetic":true'), path).toBe(false);
        expect(body.includes(invented), path).toBe(false);
      }
      const { data } = await quote();
      expect(data).toMatchObject({
        stale: true,
        source: "yahoo",
        trouble: expect.stringContaining("yahoo: "),
      });
      expect(data.age_ms).toBeGreaterThanOrEqual(60_000);
      const told = await health();
      expect(told).toMatchObject({ configured: true, ok: false, latency_ms: null });
      expect(told.last_error).toMatch(new RegExp(`^${fault.failure}: `));
      expect(told.error).not.toContain(vendor.url);
      expect(await covered()).toEqual(told);
      if (fault.failure === "rate_limited")
        expect(told.aside_until).toBe(new Date(clock.now() + 120_000).toISOString());
      if (fault.failure === "unauthorized")
        expect(told).toMatchObject({ aside_reason: "refusal", breaker: "closed" });
      if (fault.failure === "bad_payload")
        expect(told).toMatchObject({ aside_reason: "failures", breaker: "open" });
    },
    60_000,
  );

  it("is well again as soon as the source is", async () => {
    await recover();
    expect(await health()).toMatchObject({
      ok: true,
      error: null,
      breaker: "closed",
      aside_until: null,
      latency_ms: expect.any(Number),
      last_error: expect.any(String),
    });
  });
});
