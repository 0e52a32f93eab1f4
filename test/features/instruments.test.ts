import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createInstruments } from "../../src/features/instruments/instruments.js";
import { createInstrumentStore } from "../../src/features/instruments/store.js";
import { createPublisher } from "../../src/features/pipeline/publish.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket } from "../fixtures/market.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { chartService } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:07:20Z");

let testDatabase: TestDatabase;
let database: Database;
let program: TestProgram | null = null;
let vendor: Vendor;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
  vendor = await startVendor();
});
afterAll(async () => {
  await vendor.close();
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, settings restart identity cascade");
});
afterEach(async () => {
  await program?.close();
  program = null;
});

const stored = async () =>
  (await database.query<{ symbol: string }>("select symbol from instruments order by symbol")).map(
    ({ symbol }) => symbol,
  );

async function start(environment: Record<string, string>): Promise<TestProgram> {
  program = await startTestProgram({ database: testDatabase, clock: createManualClock(NOW), environment });
  return program;
}

describe("a symbol that is asked for", () => {
  it("and that no source knows leaves nothing behind", async () => {
    vendor.answer(chartService(() => NOW, ["FOO1", "FOO2", "FOO3"]));
    const { call } = await start({ MARKET_DATA: "yahoo", YAHOO_BASE_URL: vendor.url });
    for (const symbol of ["FOO1", "FOO2", "FOO3"]) {
      for (const path of [`/api/market/${symbol}`, `/api/candles/${symbol}`, `/api/patterns/${symbol}`]) {
        const answer = await call(path);
        expect([answer.statusCode, answer.json().code], path).toEqual([404, "symbol_unknown"]);
      }
    }
    expect(await stored()).toEqual([]);
    expect((await call("/api/symbols")).body).not.toContain("FOO");
    expect((await call("/api/market/KO")).statusCode).toBe(200);
    expect(await stored()).toEqual(["KO"]);
    expect((await call("/api/symbols")).body).toContain('"KO"');
  });

  it("while its source is down leaves nothing behind, and is there when the source is back", async () => {
    vendor.answer(() => ({ body: "<html>" }));
    const { call } = await start({ MARKET_DATA: "yahoo", YAHOO_BASE_URL: vendor.url });
    expect((await call("/api/market/KO")).json()).toMatchObject({ code: "provider_unavailable" });
    expect(await stored()).toEqual([]);
    vendor.answer(chartService(() => NOW));
    expect((await call("/api/market/KO")).statusCode).toBe(200);
  });

  it("of the synthetic market has a ticker of letters", async () => {
    const { call } = await start({});
    for (const symbol of ["0", "0x10", "2024-13-45", "1e5", "A.B.C", "AAAAAAAAAAAAAAAA"]) {
      const answer = await call(`/api/market/${symbol}`);
      expect([answer.statusCode, answer.json().code], symbol).toEqual([404, "symbol_unknown"]);
    }
    expect(await stored()).toEqual([]);
    for (const symbol of ["AAPL", "KO", "BRK.B", "TCS.NS", "EURUSD=X", "PEPE-USD", "^N225", "ES=F"]) {
      expect((await call(`/api/market/${symbol}`)).statusCode, symbol).toBe(200);
    }
    expect(await stored()).toHaveLength(8);
  });

  it("that sources know already has its row without another question", async () => {
    const scripted = createScriptedProvider({ now: () => NOW });
    const { instruments, gateway } = createTestMarket({ database, providers: [scripted], now: () => NOW });
    await instruments.resolve("AAPL");
    expect(scripted.quoteCalls()).toBe(0);
    const first = await instruments.resolve("KO");
    expect(scripted.quoteCalls()).toBe(1);
    expect(await instruments.resolve("ko")).toEqual(first);
    const restarted = createInstruments({
      store: createInstrumentStore(database),
      gateway,
      configured: null,
    });
    scripted.fail("unavailable");
    expect(await restarted.resolve("KO")).toEqual(first);
    expect(scripted.quoteCalls()).toBe(1);
  });

  it("that has trades here needs no source that answers, and is known from then on", async () => {
    const scripted = createScriptedProvider({ now: () => NOW });
    const { instruments } = createTestMarket({ database, providers: [scripted], now: () => NOW });
    scripted.fail("unavailable");
    const publisher = createPublisher({
      ...{ instruments, interval: "5m", leastQuality: 0.3, now: () => NOW },
      detectionStore: { record: () => Promise.reject(new Error("unasked")) },
      alerts: { consider: () => Promise.reject(new Error("unasked")) },
    });
    await expect(instruments.resolve("KO")).rejects.toMatchObject({ code: "provider_unavailable" });
    expect(await publisher.instrumentOf("KO")).toMatchObject({ symbol: "KO", id: expect.any(Number) });
    expect((await instruments.resolve("KO")).symbol).toBe("KO");
    expect(await publisher.instrumentOf("a b")).toContain("letters");
  });

  it("of a source without quotes is there when it has candles, and else not", async () => {
    const scripted = createScriptedProvider({ now: () => NOW, hasQuotes: false });
    const { instruments } = createTestMarket({ database, providers: [scripted], now: () => NOW });
    scripted.change((bar, { instrument }) => (instrument.symbol === "KO" ? bar : null));
    await expect(instruments.resolve("PEP")).rejects.toMatchObject({ code: "no_data" });
    expect((await instruments.resolve("KO")).symbol).toBe("KO");
    expect(await stored()).toEqual(["KO"]);
  });

  it("finds no room once thousands have been asked for, unless it is listed", async () => {
    const scripted = createScriptedProvider({ now: () => NOW });
    const { instruments } = createTestMarket({ database, providers: [scripted], now: () => NOW });
    await database.query(
      `insert into instruments (symbol, synthetic, name, asset_class, exchange, currency, calendar)
       select 'S' || n, false, 'S', 'equity', 'US', 'USD', 'XNYS' from generate_series(1, 6000) as n`,
    );
    await expect(instruments.resolve("KO")).rejects.toMatchObject({
      code: "symbol_unknown",
      message: expect.stringContaining("no room"),
    });
    expect((await instruments.resolve("AAPL")).symbol).toBe("AAPL");
    expect((await instruments.resolve("S7")).symbol).toBe("S7");
  });
});

describe("the seed of the synthetic market", () => {
  it("is kept by its database: another one is refused with the way out", async () => {
    const first = await start({ SYNTHETIC_SEED: "7" });
    const price = (await first.call("/api/market/AAPL")).json().data.price;
    await first.close();
    program = null;
    await expect(start({ SYNTHETIC_SEED: "8" })).rejects.toThrow(
      /SYNTHETIC_SEED is 8, but this database holds the synthetic market of 7: set SYNTHETIC_SEED=7, or another DATA_DIR/,
    );
    const again = await start({ SYNTHETIC_SEED: "7" });
    expect((await again.call("/api/market/AAPL")).json().data.price).toBe(price);
    await again.close();
    vendor.answer(chartService(() => NOW));
    // Other markets have no seed.
    await start({ SYNTHETIC_SEED: "8", MARKET_DATA: "yahoo", YAHOO_BASE_URL: vendor.url });
  });
});
