import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { AppError } from "../../src/platform/errors.js";
import { createHttpClient } from "../../src/platform/http-client.js";
import { createMetrics } from "../../src/platform/metrics.js";
import type { Provider } from "../../src/providers/define.js";
import { createGateway, type Gateway } from "../../src/providers/gateway.js";
import { createYahooProvider } from "../../src/providers/yahoo.js";
import { createRecordedLog } from "../fixtures/log.js";
import { createScriptedProvider } from "../fixtures/providers.js";
import { startVendor, type Vendor } from "../fixtures/vendor.js";
import { chartService } from "../fixtures/yahoo.js";

const NOW = Date.parse("2024-07-09T15:00Z");
const FROM = Date.parse("2024-07-01T00:00Z");
const AAPL = ensure(classifySymbol("AAPL"), "AAPL");
const now = () => Date.now();

const LIMIT_BYTES = 16 * 1024 * 1024;
const yahooAt = (baseUrl: string): Provider =>
  createYahooProvider({
    baseUrl,
    // No session is to be had: prices come from charts alone.
    cookieUrl: "http://127.0.0.1:9",
    feedUrl: baseUrl,
    http: createHttpClient({ timeoutMs: 4_000, limitBytes: LIMIT_BYTES, userAgent: "test" }),
    now,
  });

const recorded = createRecordedLog();
const gatewayOf = (...providers: Provider[]): Gateway =>
  createGateway({ providers, now, log: recorded.log, metrics: createMetrics("test") });

/** A request that no other one shares a flight with. */
let place = 0;
const ask = (gateway: Gateway, instrument = AAPL) =>
  gateway.fetchCandles(instrument, "1h", FROM + 1_000 * place++, NOW);

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

const healthOf = (gateway: Gateway, name = "yahoo") =>
  ensure(
    gateway.health().find((provider) => provider.name === name),
    name,
  );

let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(() => vendor.close());
beforeEach(() => {
  // The breaker reads the date; timers stay real.
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  vendor.requests.length = 0;
  vendor.answer(chartService(now, ["NOPE"]));
});
afterEach(() => {
  vi.useRealTimers();
});

describe("one source", () => {
  it("gives closed bars of regular sessions, with its name and how far it had come", async () => {
    const { candles, source, synthetic, asOfMs } = await ask(gatewayOf(yahooAt(vendor.url)));
    expect({ source, synthetic, asOfMs }).toEqual({ source: "yahoo", synthetic: false, asOfMs: NOW });
    expect(candles.time.at(-1)).toBe(Date.parse("2024-07-09T13:30Z"));
    expect(candles.time[0]).toBe(Date.parse("2024-07-01T13:30Z"));
  });

  it("makes weeks of its days, and a holiday Monday begins none", async () => {
    vi.setSystemTime(Date.parse("2024-09-14T12:00Z"));
    const from = Date.parse("2024-08-26T13:30Z");
    const { candles } = await gatewayOf(yahooAt(vendor.url)).fetchCandles(AAPL, "1w", from, now());
    expect(Array.from(candles.time, (time) => new Date(time).toISOString())).toEqual([
      "2024-08-26T13:30:00.000Z",
      "2024-09-03T13:30:00.000Z",
      "2024-09-09T13:30:00.000Z",
    ]);
    expect(vendor.requests.map((url) => url.searchParams.get("interval"))).toEqual(["1d"]);
  });

  it("that does not know a symbol is an answer: asked once, and the source is well", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    const unknown = ensure(classifySymbol("NOPE"), "NOPE");
    expect((await refusal(ask(gateway, unknown))).code).toBe("symbol_unknown");
    expect(vendor.requests.length).toBe(1);
    expect(healthOf(gateway)).toMatchObject({ ok: true, failures: 0, asideUntil: null });
  });

  it("that refuses a stretch is an answer, too, and never sets it aside", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    const body = { chart: { result: null, error: { code: "Unprocessable Entity", description: "too old" } } };
    vendor.answer(() => ({ status: 422, body }));
    for (let i = 0; i < 7; i++)
      expect(await refusal(ask(gateway))).toMatchObject({ code: "provider_unavailable" });
    expect(vendor.requests.length).toBe(7);
    expect(healthOf(gateway)).toMatchObject({ ok: true, asideUntil: null });
  });

  it("takes an interval that nothing makes for what it is", async () => {
    const daily = createScriptedProvider({ now, intervals: ["1d"] });
    const gateway = gatewayOf(daily);
    expect(gateway.intervals(AAPL)).toEqual(["1d", "1w"]);
    const error = await refusal(gateway.fetchCandles(AAPL, "1h", FROM, NOW));
    expect(error.code).toBe("interval_unavailable");
    expect(daily.calls.length).toBe(0);
  });
});

describe("failures that pass", () => {
  it("are tried again twice at most, and then end", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    vendor.answer(() => ({ status: 503, body: "down" }));
    const error = await refusal(ask(gateway));
    expect(error).toMatchObject({ code: "provider_unavailable", retryAfterS: 30 });
    expect(error.message).toContain("yahoo: answered 503");
    expect(vendor.requests.length).toBe(3);
    expect(healthOf(gateway)).toMatchObject({ ok: false, failures: 1 });
  });

  it("are over with the first answer", async () => {
    const service = chartService(now);
    vendor.answer((url, nth) => (nth < 2 ? { status: 500 } : service(url)));
    const gateway = gatewayOf(yahooAt(vendor.url));
    expect((await ask(gateway)).candles.time.length).toBeGreaterThan(30);
    expect(vendor.requests.length).toBe(3);
    expect(healthOf(gateway)).toMatchObject({ ok: true, failures: 0 });
  });

  it.each([
    ["a page", () => ({ body: "<html>Will be right back</html>" })],
    ["half an answer", () => ({ body: '{"chart":{"result":[{"meta":' })],
    ["a redirect", () => ({ status: 302, headers: { location: "http://example.com/" } })],
  ])("are not tried again when the answer is %s", async (_name, answer) => {
    vendor.answer(answer);
    const gateway = gatewayOf(yahooAt(vendor.url));
    expect((await refusal(ask(gateway))).code).toBe("provider_unavailable");
    expect(vendor.requests.length).toBe(1);
    expect(healthOf(gateway).lastError).toMatch(/^bad_payload/);
  });

  it("include an answer that never stops growing, which is cut and not asked for again", async () => {
    let sent = 0;
    vendor.answer(() => (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = Buffer.alloc(1024 * 1024, 32);
      const send = () => {
        while (sent < 200 && !response.destroyed && response.write(chunk)) sent++;
        if (sent < 200 && !response.destroyed) response.once("drain", send);
        else response.end();
      };
      send();
    });
    const gateway = gatewayOf(yahooAt(vendor.url));
    const error = await refusal(ask(gateway));
    expect(error.message).toContain("larger than");
    expect(vendor.requests.length).toBe(1);
    expect(sent).toBeLessThan(100);
  });

  it("end within five seconds, however the source fails to answer", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const mute = await startVendor();
    mute.answer(() => () => undefined);
    const half = await startVendor();
    half.answer(() => (response) => response.writeHead(200, { "content-length": "9" }).flushHeaders());
    const drip = await startVendor();
    drip.answer(() => (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("{"), 200);
      response.once("close", () => clearInterval(timer));
    });
    const cut = await startVendor();
    cut.answer(() => (response) => response.destroy());
    const addresses = {
      mute: mute.url,
      half: half.url,
      drip: drip.url,
      cut: cut.url,
      refused: `http://127.0.0.1:${port}`,
      nowhere: "http://nowhere.invalid",
    };
    const started = performance.now();
    const found = await Promise.all(
      Object.entries(addresses).map(async ([name, url]) => {
        const error = await refusal(ask(gatewayOf(yahooAt(url))));
        return { name, code: error.code, seconds: (performance.now() - started) / 1_000 };
      }),
    );
    for (const { name, code, seconds } of found) {
      expect(code, name).toBe("provider_unavailable");
      expect(seconds, name).toBeLessThan(5);
    }
    expect(mute.requests.length + half.requests.length + drip.requests.length).toBeLessThanOrEqual(9);
    expect(cut.requests.length).toBe(3);
    await Promise.all([mute, half, drip, cut].map((service) => service.close()));
  }, 15_000);
});

describe("a refusal", () => {
  async function refuseOnce(headers: Record<string, string> = {}, status = 429): Promise<Gateway> {
    const gateway = gatewayOf(yahooAt(vendor.url));
    vendor.answer(() => ({ status, headers, body: "Too Many Requests" }));
    await refusal(ask(gateway));
    // A pause that the caller has time for is kept to, and then asked after: twice.
    expect(vendor.requests.length).toBe(headers["retry-after"] === "0" ? 3 : 1);
    vendor.requests.length = 1;
    vendor.answer(chartService(now));
    return gateway;
  }

  it.each([
    ["120 seconds", { "retry-after": "120" }, 429, 120],
    ["a date", { "retry-after": "Tue, 09 Jul 2024 15:03:00 GMT" }, 429, 180],
    ["nothing", {}, 429, 90],
    ["nonsense", { "retry-after": "soon" }, 429, 90],
    ["no time at all, for a moment at least", { "retry-after": "0" }, 429, 1],
    ["years, for an hour at most", { "retry-after": "999999999" }, 429, 3_600],
    ["nothing, being about the key", {}, 401, 300],
  ])("that says %s is kept to", async (_name, headers, status, seconds) => {
    const gateway = await refuseOnce(headers as Record<string, string>, status);
    expect(healthOf(gateway)).toMatchObject({ ok: false, asideUntil: NOW + 1_000 * seconds });
    vi.setSystemTime(NOW + 1_000 * seconds - 1);
    expect((await refusal(ask(gateway))).message).toContain("set aside");
    expect(vendor.requests.length).toBe(1);
    vi.setSystemTime(NOW + 1_000 * seconds);
    expect((await ask(gateway)).source).toBe("yahoo");
    expect(healthOf(gateway)).toMatchObject({ ok: true, asideUntil: null });
  });

  it("counts for those that wait for their turn: no storm", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    vendor.answer(() => ({ status: 429, body: "Too Many Requests" }));
    const waiting = Array.from({ length: 60 }, () => refusal(ask(gateway)));
    for (const error of await Promise.all(waiting)) expect(error.code).toBe("provider_unavailable");
    expect(vendor.requests.length).toBeLessThanOrEqual(4);
    expect(healthOf(gateway).requests).toBeLessThanOrEqual(4);
  });

  it("holds for quotes and probes alike", async () => {
    const gateway = await refuseOnce();
    await refusal(gateway.fetchQuote(AAPL));
    await gateway.probe();
    expect(vendor.requests.length).toBe(1);
  });

  it("is not shortened by a later one that says less", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    vendor.answer((_url, nth) => ({ status: 429, headers: { "retry-after": nth === 0 ? "600" : "1" } }));
    await Promise.all([refusal(ask(gateway)), refusal(ask(gateway)), refusal(ask(gateway))]);
    expect(healthOf(gateway).asideUntil).toBe(NOW + 600_000);
  });
});

describe("the breaker", () => {
  it("opens after five failures, lets one through after half a minute and closes with its success", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    vendor.answer(() => ({ body: "<html>" }));
    for (let i = 0; i < 5; i++) await refusal(ask(gateway));
    expect(vendor.requests.length).toBe(5);
    expect(healthOf(gateway)).toMatchObject({ ok: false, asideUntil: NOW + 30_000 });

    vi.setSystemTime(NOW + 29_999);
    expect((await refusal(ask(gateway))).message).toContain("set aside after failures");
    expect(vendor.requests.length).toBe(5);

    // One is let through and fails: as long again.
    vi.setSystemTime(NOW + 30_000);
    await Promise.all([refusal(ask(gateway)), refusal(ask(gateway)), refusal(ask(gateway))]);
    expect(vendor.requests.length).toBe(6);
    expect(healthOf(gateway).asideUntil).toBe(NOW + 60_000);

    vi.setSystemTime(NOW + 60_000);
    vendor.answer(chartService(now));
    const answers = await Promise.all([ask(gateway), ask(gateway), ask(gateway)]);
    expect(answers.map(({ source }) => source)).toEqual(["yahoo", "yahoo", "yahoo"]);
    expect(healthOf(gateway)).toMatchObject({ ok: true, asideUntil: null });
    expect(vendor.requests.length).toBe(9);
  });

  it("does not open for failures between which there are answers", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    const service = chartService(now);
    vendor.answer((url, nth) => (nth % 5 === 4 ? service(url) : { body: "<html>" }));
    for (let i = 0; i < 10; i++) await ask(gateway).catch(() => undefined);
    expect(vendor.requests.length).toBe(10);
    expect(healthOf(gateway).asideUntil).toBeNull();
  });
});

describe("several sources", () => {
  it("answer in the order of preference, and the answer names its source", async () => {
    const second = createScriptedProvider({ now, name: "second" });
    const gateway = gatewayOf(yahooAt(vendor.url), second);
    expect((await ask(gateway)).source).toBe("yahoo");
    expect(second.calls.length).toBe(0);
    vendor.answer(() => ({ status: 429 }));
    expect((await ask(gateway)).source).toBe("second");
    expect((await gateway.fetchQuote(AAPL))?.source).toBe("second");
    // The first is set aside: it was asked for the first of the two alone.
    expect(vendor.requests.length).toBe(2);
    vi.setSystemTime(NOW + 90_000);
    vendor.answer(chartService(now));
    expect((await ask(gateway)).source).toBe("yahoo");
  });

  it("stand in for one that does not know the symbol or goes back less far", async () => {
    const second = createScriptedProvider({ now, name: "second" });
    const gateway = gatewayOf(yahooAt(vendor.url), second);
    const unknown = ensure(classifySymbol("NOPE"), "NOPE");
    expect((await ask(gateway, unknown)).source).toBe("second");
    const body = { chart: { result: null, error: { code: "Unprocessable Entity", description: "too old" } } };
    vendor.answer(() => ({ status: 422, body }));
    for (let i = 0; i < 6; i++) expect((await ask(gateway)).source).toBe("second");
    expect(healthOf(gateway).asideUntil).toBeNull();
  });

  it("are not asked for what they do not carry", async () => {
    const crypto = createScriptedProvider({
      now,
      name: "coins",
      carries: (instrument) => instrument.assetClass === "crypto",
    });
    const gateway = gatewayOf(crypto, yahooAt(vendor.url));
    expect((await ask(gateway)).source).toBe("yahoo");
    expect((await ask(gateway, ensure(classifySymbol("BTC-USD"), "BTC-USD"))).source).toBe("coins");
    expect(crypto.calls.length).toBe(1);
  });

  it("that all fail are named with their reasons, without addresses", async () => {
    const second = createScriptedProvider({ now, name: "second" });
    second.fail("unavailable");
    vendor.answer(() => ({ status: 502 }));
    const error = await refusal(ask(gatewayOf(yahooAt(vendor.url), second)));
    expect(error.message).toBe("No source gave data for AAPL (yahoo: answered 502; second: second is down)");
  });

  it("that none of them knows a symbol says so", async () => {
    const second = createScriptedProvider({ now, name: "second" });
    second.fail("unknown_symbol");
    const gateway = gatewayOf(yahooAt(vendor.url), second);
    const error = await refusal(ask(gateway, ensure(classifySymbol("NOPE"), "NOPE")));
    expect(error.code).toBe("symbol_unknown");
    const nobody = gatewayOf();
    expect((await refusal(nobody.feedNowMs(AAPL, "1d"))).code).toBe("symbol_unknown");
    expect((await refusal(nobody.earliestMs(AAPL, "1d"))).code).toBe("symbol_unknown");
  });
});

describe("callers at the same time", () => {
  it("share one flight for the same stretch and quote, and its failure", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    const same = () => gateway.fetchCandles(AAPL, "1h", FROM, NOW);
    const answers = await Promise.all([same(), same(), same()]);
    expect(new Set(answers).size).toBe(1);
    expect(vendor.requests.length).toBe(1);
    await Promise.all([gateway.fetchQuote(AAPL), gateway.fetchQuote(AAPL)]);
    expect(vendor.requests.length).toBe(2);
    vendor.answer(() => ({ body: "<html>" }));
    await Promise.all([refusal(same()), refusal(same())]);
    expect(vendor.requests.length).toBe(3);
    await refusal(same());
    expect(vendor.requests.length).toBe(4);
  });

  it("wait for their turn: no more than four requests at a time", async () => {
    const gateway = gatewayOf(yahooAt(vendor.url));
    const service = chartService(now);
    vendor.load.most = 0;
    vendor.answer(async (url) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return service(url);
    });
    await Promise.all(Array.from({ length: 20 }, () => ask(gateway)));
    expect(vendor.requests.length).toBe(20);
    expect(vendor.load.most).toBe(4);
  });
});
