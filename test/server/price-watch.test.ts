import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { plainService } from "../fixtures/plain-yahoo.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { startTradeStream, type TradeStream } from "../fixtures/trade-stream.js";
import { startVendor, type Vendor, type VendorAnswer } from "../fixtures/vendor.js";
import { yahooAt } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:00:30Z");
const clock = createManualClock(NOW);

/** Changes what the quote service says of a symbol. */
type Row = Record<string, number>;
let bent: Readonly<Record<string, Row>> = {};
/** Symbols that have quotes and no candles. */
let chartless: readonly string[] = [];
let second: (symbol: string) => VendorAnswer;

let vendor: Vendor;
let stream: TradeStream;
let program: TestProgram;
beforeAll(async () => {
  vendor = await startVendor();
  stream = await startTradeStream();
  const prices = plainService(clock.now);
  vendor.answer(async (url) => {
    if (url.pathname.startsWith("/api/v1/quote")) return second(url.searchParams.get("symbol") ?? "");
    if (chartless.some((symbol) => url.pathname === `/v8/finance/chart/${symbol}`)) return { body: "<html>" };
    const answer = await prices(url);
    if (typeof answer === "function" || url.pathname !== "/v7/finance/quote") return answer;
    const body = answer.body as { quoteResponse: { result: Row[] } };
    const [row] = body.quoteResponse.result;
    Object.assign(row, bent[String(row.symbol)]);
    return { ...answer, body };
  });
  const environment = {
    MARKET_DATA: "yahoo,finnhub",
    ...yahooAt(vendor.url),
    FINNHUB_BASE_URL: vendor.url,
    FINNHUB_API_KEY: "key",
    STREAM_SOURCES: "finnhub",
    FINNHUB_STREAM_URL: stream.url,
  };
  program = await startTestProgram({ clock, environment });
});
afterAll(async () => {
  await program.close();
  await stream.close();
  await vendor.close();
});
beforeEach(() => {
  clock.advance(60_000);
  bent = {};
  second = () => ({ status: 403, body: { error: "You don't have access to this resource." } });
});

/** Asks again where a busy machine took too long to look anything up. */
async function ask(symbol: string, tries = 5) {
  const answer = await program.call(`/api/market/${symbol}`);
  if (tries === 0 || !/in time|no time was left/.test(answer.body)) return answer;
  clock.advance(61_000);
  return ask(symbol, tries - 1);
}
const quote = async (symbol: string) => (await ask(symbol)).json().data;
const issues = async (symbol: string) => {
  const { data } = (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json();
  return data.map(
    ({ code, severity, source }: Record<string, string>) => `${source} ${severity} ${code}`,
  ) as string[];
};

describe("a quote", () => {
  it.each([
    ["NVDA", { regularMarketPrice: 1e12 }, "out_of_band"],
    ["MSFT", { regularMarketPrice: 0.001 }, "out_of_band"],
    ["KO", { bid: 70, ask: 60 }, "quote_crossed"],
    ["PEP", { regularMarketDayHigh: 1e12 }, "out_of_band"],
  ])("of %s that cannot be (%j) is held back, with the reason", async (symbol, row, code) => {
    bent = { [symbol]: row as unknown as Row };
    expectProblem(await ask(symbol), "provider_unavailable", "yahoo: held back");
    expect(await issues(symbol)).toContain(`yahoo critical ${code}`);
  });

  it("that cannot be is stood in for by a close where a source has no quotes", async () => {
    bent = { "BTC-USD": { regularMarketPrice: 0.0001 } };
    const held = await quote("BTC-USD");
    expect(held).toMatchObject({ from_candles: true, trouble: expect.stringContaining("yahoo: held back") });
    expect(held.price).toBeGreaterThan(200);
    expect(await issues("BTC-USD")).toContain("yahoo critical out_of_band");
  });

  it("a hundred times too large is held back, and found once however often it is asked for", async () => {
    const { price } = await quote("AAPL");
    bent = { AAPL: { regularMarketPrice: price * 100 } };
    for (let i = 0; i < 3; i++) {
      clock.advance(31_000);
      const held = await quote("AAPL");
      expect(held).toMatchObject({ price, stale: true, trouble: expect.stringContaining("held back") });
    }
    expect((await issues("AAPL")).filter((issue) => issue.includes("scale_slip"))).toHaveLength(1);
    const { data } = (await program.call("/api/data-quality")).json();
    expect(data.overall_quality).toBe("bad");
    const { body } = await program.call("/metrics");
    expect(body).toMatch(/tx_data_issues_total\{code="scale_slip",severity="critical"\} 3/);
  });

  it("that is held back comes from the next source, which says so", async () => {
    const { price } = await quote("AMZN");
    bent = { AMZN: { regularMarketPrice: price * 100 } };
    const seconds = Math.floor(clock.now() / 1_000);
    second = () => ({ body: { c: price, d: 0, dp: 0, h: price, l: price, o: price, pc: price, t: seconds } });
    clock.advance(31_000);
    expect(await quote("AMZN")).toMatchObject({
      price,
      source: "finnhub",
      trouble: expect.stringContaining("yahoo: held back"),
    });
  });

  it("that is old while the exchange is open stands only where no other is newer", async () => {
    const { price } = await quote("GOOGL");
    const old = Math.floor(clock.now() / 1_000) - 1_200;
    bent = { GOOGL: { regularMarketTime: old } };
    clock.advance(31_000);
    expect(await quote("GOOGL")).toMatchObject({
      source: "yahoo",
      stale: true,
      trouble: expect.stringMatching(/yahoo: 12\d\d s old/),
    });
    expect(await issues("GOOGL")).toEqual(["yahoo critical stale"]);
    const seconds = Math.floor(clock.now() / 1_000);
    second = () => ({ body: { c: price, d: 0, dp: 0, h: price, l: price, o: price, pc: price, t: seconds } });
    clock.advance(31_000);
    expect(await quote("GOOGL")).toMatchObject({ source: "finnhub", stale: false });
  });

  it("that cannot be held against its history stands alone, and says so", async () => {
    chartless = ["ORCL"];
    expect(await quote("ORCL")).toMatchObject({
      source: "yahoo",
      trouble: expect.stringContaining("yahoo: could not be held against its history: "),
    });
    chartless = [];
    clock.advance(61_000);
    expect(await quote("ORCL")).toMatchObject({ source: "yahoo", trouble: null });
  });

  it("costs no further question once the band of its day is known", async () => {
    await quote("IBM");
    vendor.requests.length = 0;
    clock.advance(31_000);
    await quote("IBM");
    expect(vendor.requests.map(({ pathname }) => pathname)).toEqual(["/v7/finance/quote"]);
  });
});

describe("the quality of the data", () => {
  const vendorQuality = async () => (await program.call("/api/data-quality")).json().data;

  it("is unknown after a few calls, and degraded by a source that fails each", async () => {
    const { quality } = program.parts;
    quality.onCall("newcomer", 10, true);
    expect((await vendorQuality()).feed_health.newcomer).toMatchObject({ quality: "unknown", issues: [] });
    for (let i = 0; i < 2; i++) quality.onCall("failing", 10, false);
    expect((await vendorQuality()).feed_health.failing).toMatchObject({
      quality: "degraded",
      failure_rate: 1,
      issues: [{ code: "failing_feed", severity: "warning" }],
    });
  });
});

describe("a streamed trade", () => {
  it("outside the band is refused and counted; one within is the price", async () => {
    const { live } = program.parts;
    clock.advance(31_000);
    const { price } = await quote("BTC-USD");
    live.start(["BTC-USD"]);
    await vi.waitFor(() => expect(stream.subscribed).toHaveLength(1), { timeout: 10_000 });
    const [name] = stream.subscribed;
    const tell = (p: number) => stream.tell([{ s: name, p, t: clock.now(), v: 1 }]);
    clock.advance(1_000);
    for (const factor of [1e9, 100, 0.01, 1_000]) tell(price * factor);
    await vi.waitFor(
      async () => {
        const { body } = await program.call("/metrics");
        expect(body).toContain('tx_stream_trades_refused_total{stream="finnhub"} 4');
      },
      { timeout: 15_000 },
    );
    expect(await quote("BTC-USD")).toMatchObject({ price, source: "yahoo" });
    tell(price * 1.001);
    await vi.waitFor(
      async () => expect(await quote("BTC-USD")).toMatchObject({ price: price * 1.001, source: "finnhub" }),
      { timeout: 15_000 },
    );
    const found = (await issues("BTC-USD")).filter((issue) => issue.startsWith("finnhub"));
    expect(found.sort()).toEqual(["finnhub critical out_of_band", "finnhub critical scale_slip"]);
  });
});
