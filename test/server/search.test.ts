import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { createSearch } from "../../src/features/instruments/search.js";
import { createCache, createMemoryStore } from "../../src/platform/cache.js";
import { createCachedReads } from "../../src/platform/cached-reads.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { ProviderError } from "../../src/providers/define.js";
import { createGateway } from "../../src/providers/gateway.js";
import { createMarketReads } from "../../src/providers/reads.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { silentLog } from "../fixtures/log.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { createScriptedProvider } from "../fixtures/providers.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram();
});
afterAll(() => program.close());

const symbols = (data: readonly { symbol: string }[]) => data.map(({ symbol }) => symbol);

describe("GET /api/search", () => {
  it("200 finds known instruments by symbol and by name, the closest first", async () => {
    const answer = (await program.call("/api/search?q=aapl")).json();
    expect(answer).toMatchObject({ query: "aapl", stale: false, trouble: expect.stringContaining("search") });
    expect(answer.data[0]).toMatchObject({
      symbol: "AAPL",
      asset_class: "equity",
      source: null,
      has_candles: true,
      synthetic: true,
    });
    expect(symbols((await program.call("/api/search?q=Apple")).json().data)).toContain("AAPL");
    expect(symbols((await program.call("/api/search?q=BTC/USD")).json().data)[0]).toBe("BTC-USD");
  });

  it("200 is empty for what nobody knows", async () => {
    expect((await program.call("/api/search?q=qqqqzz")).json().data).toEqual([]);
  });

  it.each(["", "q=", "q=%20", `q=${"a".repeat(61)}`, "q=a%0Ab", "q=a&limit=0", "q=a&limit=51", "q=a&kind=x"])(
    "400 for %s",
    async (query) => {
      expectProblem(await program.call(`/api/search?${query}`), "invalid_request");
    },
  );
});

describe("a search in sources", () => {
  const apple = ensure(classifySymbol("AAPL"), "AAPL");
  const other = ensure(classifySymbol("APLE"), "APLE");
  let now = Date.parse("2024-07-09T15:00Z");
  let error: ProviderError | null = null;
  const scripted = createScriptedProvider({ now: () => now });
  const provider = {
    ...scripted,
    listInstruments: () => [apple],
    search: async () => {
      if (error !== null) throw error;
      return [
        { instrument: apple, vendorSymbol: "US:AAPL" },
        { instrument: other, vendorSymbol: "US:APLE" },
      ];
    },
  };
  const metrics = createMetrics("test");
  const gateway = createGateway({ providers: [provider], now: () => now, log: silentLog, metrics });
  const cached = createCachedReads({ cache: createCache(createMemoryStore(), metrics), now: () => now });
  const search = createSearch({
    gateway,
    reads: createMarketReads({ gateway, reads: cached }),
    instruments: { list: async () => gateway.listInstruments() } as never,
  });

  it("adds what they find to what is known, each symbol once", async () => {
    const { matches, trouble } = await search.find("ap", 20);
    expect(
      matches.map(({ instrument, source, vendorSymbol }) => [instrument.symbol, source, vendorSymbol]),
    ).toEqual([
      ["AAPL", "scripted", "US:AAPL"],
      ["APLE", "scripted", "US:APLE"],
    ]);
    expect(trouble).toBeNull();
    expect((await search.find("ap", 1)).matches).toHaveLength(1);
  });

  it("says when an earlier answer stands in, and finds what is known where there is none", async () => {
    error = new ProviderError("unavailable", "answered 503");
    now += 7_200_000;
    expect(await search.find("ap", 20)).toMatchObject({
      stale: true,
      ageMs: 7_200_000,
      trouble: "No source could be searched (scripted: answered 503)",
      matches: [{ vendorSymbol: "US:AAPL" }, { vendorSymbol: "US:APLE" }],
    });
    const fresh = await search.find("aapl", 20);
    expect(fresh).toMatchObject({ stale: false, trouble: expect.stringContaining("503") });
    expect(fresh.matches).toMatchObject([{ instrument: { symbol: "AAPL" }, source: null }]);
  });
});
