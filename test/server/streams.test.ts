import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { plainService } from "../fixtures/plain-yahoo.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { startTradeStream, type TradeStream } from "../fixtures/trade-stream.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { yahooAt } from "../fixtures/yahoo.js";

const KEY = "key-that-nobody-may-see";
/** A Tuesday, an hour and a half after the open of New York. */
const clock = createManualClock(Date.parse("2024-07-09T15:00:30Z"));

let vendor: Vendor;
let stream: TradeStream;
let program: TestProgram;
beforeAll(async () => {
  vendor = await startVendor();
  vendor.answer(plainService(clock.now));
  stream = await startTradeStream();
  const environment = {
    MARKET_DATA: "yahoo,finnhub",
    ...yahooAt(vendor.url),
    FINNHUB_BASE_URL: vendor.url,
    FINNHUB_API_KEY: KEY,
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

const get = async (path: string) => (await program.call(path)).json();
const providers = async () => (await get("/api/provider-health")).data;
const quality = async () => (await get("/api/data-quality")).data;
const component = async () => (await get("/health/detailed")).components.streams;
const look = () => program.parts.quality.loop.run(clock.now(), new AbortController().signal);
const kept = async () => {
  const { data } = await get("/api/data-quality/issues?symbol=finnhub");
  return data.map(({ code, severity }: Record<string, string>) => `${severity} ${code}`) as string[];
};

const PATIENCE = { timeout: 15_000 };
/** Time passes while the other side is there, but silent. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    clock.advance(Math.min(left, 10_000));
    stream.ping();
    await vi.waitFor(() => expect(program.parts.live.health()[0].lastHeardAt).toBe(clock.now()), PATIENCE);
  }
}

describe("a stream of trades", () => {
  it("that is heard is told of wherever operators look, without the key", async () => {
    program.parts.live.start(["AAPL", "MSFT"]);
    await vi.waitFor(() => expect(stream.subscribed).toEqual(["AAPL", "MSFT"]), PATIENCE);
    stream.tell([{ s: "AAPL", p: 200, t: clock.now() }]);
    await vi.waitFor(() => expect(program.parts.live.health()[0].lastTradeAt).not.toBeNull(), PATIENCE);
    clock.advance(2_000);
    const { finnhub, yahoo } = await providers();
    expect(yahoo.streams).toEqual([]);
    expect(finnhub.streams).toMatchObject([
      {
        name: "finnhub",
        connected: true,
        last_message_age_ms: 2_000,
        reconnects: 0,
        symbols: ["AAPL", "MSFT"],
        last_error: null,
      },
    ]);
    const { providers: covered } = await get("/api/coverage");
    expect(covered.health.finnhub.streams).toEqual(finnhub.streams);
    expect(await component()).toMatchObject({ status: "healthy", issues: [] });
    expect((await quality()).stream_health).toEqual({ finnhub: { connected: true, issues: [] } });
    expect(JSON.stringify([finnhub, await component()])).not.toContain(KEY);
  });

  it("that is silent while its exchange is open is an issue, and no longer once a trade is heard", async () => {
    await pass(301_000);
    expect((await quality()).stream_health.finnhub.issues).toMatchObject([
      { code: "stream_silent", severity: "warning", category: "feed_health" },
    ]);
    vendor.requests.length = 0;
    await pass(300_000);
    const anew = { connected: true, reconnects: 1 };
    await vi.waitFor(() => expect(program.parts.live.health()[0]).toMatchObject(anew), PATIENCE);
    await vi.waitFor(() => expect(stream.subscribed).toEqual(["AAPL", "MSFT", "AAPL", "MSFT"]), PATIENCE);
    // What was not heard is asked for over REST, and the new connection is no better until it tells of a trade.
    const charts = () => vendor.requests.map(({ pathname }) => pathname);
    await vi.waitFor(() => {
      expect(charts()).toContain("/v8/finance/chart/AAPL");
      expect(charts()).toContain("/v8/finance/chart/MSFT");
    }, PATIENCE);
    await look();
    await look();
    expect(await kept()).toEqual(["critical stream_silent"]);
    const { status, issues } = await component();
    expect({ status, issues }).toEqual({
      status: "degraded",
      issues: [expect.stringMatching(/^finnhub: connected, but without a trade for 60\d s$/)],
    });
    expect((await get("/health/detailed")).status).toBe("degraded");
    stream.tell([{ s: "AAPL", p: 200, t: clock.now() }]);
    await vi.waitFor(async () => expect((await component()).issues).toEqual([]), PATIENCE);
  });

  it("that is lost is an issue until it is back, and says how often it came back", async () => {
    stream.refuse(true);
    stream.cut();
    await vi.waitFor(() => expect(program.parts.live.health()[0].connected).toBe(false), PATIENCE);
    clock.advance(61_000);
    await look();
    expect(await kept()).toContain("warning stream_down");
    expect(await component()).toMatchObject({
      status: "degraded",
      issues: [expect.stringMatching(/^finnhub: down for 61 s: /)],
    });
    clock.advance(300_000);
    expect((await quality()).stream_health.finnhub).toMatchObject({
      connected: false,
      issues: [{ code: "stream_down", severity: "critical" }],
    });
    stream.refuse(false);
    await vi.waitFor(
      async () =>
        expect((await providers()).finnhub.streams[0]).toMatchObject({ connected: true, reconnects: 2 }),
      PATIENCE,
    );
    expect((await quality()).stream_health.finnhub.issues).toEqual([]);
  }, 30_000);

  it("may be silent while its exchange is closed", async () => {
    clock.set(Date.parse("2024-07-09T23:00:00Z"));
    expect((await quality()).stream_health.finnhub.issues).toEqual([]);
    expect((await component()).status).toBe("healthy");
    // A minute after the next open nothing has to have been heard.
    clock.set(Date.parse("2024-07-10T13:31:00Z"));
    expect((await quality()).stream_health.finnhub.issues).toEqual([]);
  });
});
