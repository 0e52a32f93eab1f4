import { request } from "node:http";
import fastify from "fastify";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { AppError } from "../../src/platform/errors.js";
import { speakDialect } from "../../src/protocols/alpaca/http.js";
import { type AlpacaProgram, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";

const check = createVendorChecker();
const describeWithDocuments = describe.skipIf(check === null);

let alpaca: AlpacaProgram;
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
});
afterAll(() => alpaca.program.close());

async function get(url: string, headers: Record<string, string> = alpaca.headers) {
  const answer = await alpaca.program.call({ url, headers });
  const path = url.split("?")[0] ?? "";
  const decoded = path.split("/").map(decodeURIComponent).join("/").replace("BTC/USD", "BTCUSD");
  expect(check?.(decoded, answer.statusCode, answer.json()) ?? [], url).toEqual([]);
  return answer;
}

const body = async (url: string) => (await get(url)).json();

describeWithDocuments("answers, by the documents of the vendor", () => {
  it("tell the clock on that of New York", async () => {
    expect(await body("/v2/clock")).toEqual({
      timestamp: "2024-07-09T11:00:30-04:00",
      is_open: true,
      next_open: "2024-07-10T09:30:00-04:00",
      next_close: "2024-07-09T16:00:00-04:00",
    });
  });

  it("tell sessions with early closes and the days on which they settle", async () => {
    const days = await body("/v2/calendar?start=2024-07-02&end=2024-07-08T00:00:00Z");
    expect(
      days.map(({ date, close, session_close }: Record<string, string>) => [date, close, session_close]),
    ).toEqual([
      ["2024-07-02", "16:00", "2000"],
      ["2024-07-03", "13:00", "1700"],
      ["2024-07-05", "16:00", "2000"],
    ]);
    const settled = await body("/v2/calendar?start=2024-07-05&end=2024-07-05&date_type=SETTLEMENT");
    expect(settled.map(({ date }: Record<string, string>) => date)).toEqual(["2024-07-03"]);
  });

  // When the cycle was shortened two days of trade settled on one, as announced; and FINRA tells each year that nothing
  // settles on Columbus Day and Veterans Day.
  it.each([
    ["2024-05-24", "2024-05-29"],
    ["2024-05-28", "2024-05-29"],
    ["2024-10-11", "2024-10-15"],
    ["2024-10-14", "2024-10-15"],
    ["2024-11-08", "2024-11-12"],
    ["2024-11-11", "2024-11-12"],
    ["2023-08-31", "2023-09-05"],
    ["2017-09-01", "2017-09-07"],
    ["2017-09-05", "2017-09-07"],
  ])("let trades of %s settle on %s", async (date, settled) => {
    const [day] = await body(`/v2/calendar?start=${date}&end=${date}`);
    expect(day.settlement_date).toBe(settled);
  });

  it("list assets by class and exchange, and find each by id and in any spelling", async () => {
    const shares = await body("/v2/assets?status=active");
    const coins = await body("/v2/assets?asset_class=crypto");
    expect(shares.length).toBeGreaterThan(10);
    expect(shares.map(({ class: name }: { class: string }) => name)).not.toContain("crypto");
    expect(
      (await body("/v2/assets?exchange=ARCA")).every(
        ({ exchange }: { exchange: string }) => exchange === "ARCA",
      ),
    ).toBe(true);
    expect(await body("/v2/assets?status=inactive")).toEqual([]);
    const bitcoin = coins.find(({ symbol }: { symbol: string }) => symbol === "BTC/USD");
    expect(bitcoin).toMatchObject({
      tradable: true,
      fractionable: true,
      shortable: false,
      price_increment: "0.00000001",
    });
    for (const name of ["BTC%2FUSD", "BTCUSD", bitcoin.id])
      expect(await body(`/v2/assets/${name}`)).toEqual(bitcoin);
    expect(await body("/v2/assets/SPY")).toMatchObject({ exchange: "ARCA", tradable: true, shortable: true });
    expect((await get("/v2/assets/00000000-0000-4000-8000-000000000000")).json()).toEqual({
      code: 40410000,
      message: "asset not found for 00000000-0000-4000-8000-000000000000",
    });
  });

  it("give bars on the clock, closed ones alone", async () => {
    const { bars } = await body("/v2/stocks/AAPL/bars?timeframe=1Hour&start=2024-07-09");
    expect(bars.map(({ t }: { t: string }) => t)).toEqual(["2024-07-09T13:00:00Z", "2024-07-09T14:00:00Z"]);
    const days = await body("/v2/stocks/AAPL/bars?timeframe=1Day&start=2024-07-03&end=2024-07-09");
    expect(days.bars.map(({ t }: { t: string }) => t)).toEqual([
      "2024-07-03T04:00:00Z",
      "2024-07-05T04:00:00Z",
      "2024-07-08T04:00:00Z",
    ]);
    const weeks = await body("/v2/stocks/AAPL/bars?timeframe=1Week&start=2024-06-17&end=2024-07-09");
    expect(weeks.bars.map(({ t }: { t: string }) => t.slice(0, 10))).toEqual([
      "2024-06-17",
      "2024-06-24",
      "2024-07-01",
    ]);
    const quarters = await body("/v2/stocks/AAPL/bars?timeframe=3M&start=2024-01-01&sort=desc");
    expect(quarters.bars.map(({ t }: { t: string }) => t)).toEqual([
      "2024-04-01T04:00:00Z",
      "2024-01-01T05:00:00Z",
    ]);
  });

  it("give bars of longer timeframes that are made of the shorter", async () => {
    const minutes = (await body("/v2/stocks/AAPL/bars?timeframe=1Min&start=2024-07-08&end=2024-07-08")).bars;
    expect(minutes).toHaveLength(390);
    for (const [frame, count] of [
      ["7Min", 57],
      ["1Hour", 7],
      ["4Hour", 2],
      ["1Day", 1],
    ] as const) {
      const { bars } = await body(`/v2/stocks/AAPL/bars?timeframe=${frame}&start=2024-07-08&end=2024-07-08`);
      expect(bars, frame).toHaveLength(count);
      expect(bars[0].o).toBe(minutes[0].o);
      expect(bars.at(-1).c).toBe(minutes.at(-1).c);
      expect(Math.max(...bars.map(({ h }: { h: number }) => h))).toBe(
        Math.max(...minutes.map(({ h }: { h: number }) => h)),
      );
      const volume = (of: { v: number }[]) => of.reduce((sum, { v }) => sum + v, 0);
      // Each is told in whole shares.
      expect(Math.abs(volume(bars) - volume(minutes))).toBeLessThan((bars.length + minutes.length) / 2);
    }
  });

  it.each(["asc", "desc"])("give pages that together are the whole, %s", async (sort) => {
    const query = `symbols=MSFT,AAPL,NOTHERE9&timeframe=1Hour&start=2024-07-01&end=2024-07-08&sort=${sort}`;
    const whole = await body(`/v2/stocks/bars?${query}`);
    expect(Object.keys(whole.bars)).toEqual(expect.arrayContaining(["AAPL", "MSFT"]));
    expect(whole.next_page_token).toBeNull();
    const pages: Record<string, unknown[]> = {};
    let token = "";
    let count = 0;
    do {
      const page = await body(`/v2/stocks/bars?${query}&limit=10${token}`);
      const bars = Object.entries<unknown[]>(page.bars);
      expect(bars.reduce((sum, [, each]) => sum + each.length, 0)).toBeLessThanOrEqual(10);
      for (const [symbol, each] of bars) pages[symbol] = [...(pages[symbol] ?? []), ...each];
      token = page.next_page_token === null ? "" : `&page_token=${encodeURIComponent(page.next_page_token)}`;
      count++;
    } while (token !== "");
    expect(pages).toEqual(whole.bars);
    expect(count).toBeGreaterThan(5);
  });

  it("tell what is newest of shares and coins, and of each alone", async () => {
    const { bars } = await body("/v2/stocks/bars/latest?symbols=AAPL,MSFT");
    expect(bars.AAPL.t).toBe("2024-07-09T14:59:00Z");
    expect((await body("/v2/stocks/AAPL/bars/latest")).bar).toEqual(bars.AAPL);
    const { trades } = await body("/v2/stocks/trades/latest?symbols=AAPL,MSFT");
    expect((await body("/v2/stocks/AAPL/trades/latest")).trade).toEqual(trades.AAPL);
    await body("/v2/stocks/quotes/latest?symbols=AAPL");
    const snapshots = await body("/v2/stocks/snapshots?symbols=AAPL,MSFT,NOTHERE9");
    expect(snapshots.AAPL.minuteBar).toEqual(bars.AAPL);
    expect(snapshots.AAPL.dailyBar.t).toBe("2024-07-09T04:00:00Z");
    expect(snapshots.AAPL.prevDailyBar.t).toBe("2024-07-08T04:00:00Z");
    expect(await body("/v2/stocks/AAPL/snapshot")).toEqual({ symbol: "AAPL", ...snapshots.AAPL });
    const coins = "symbols=BTC%2FUSD,ETH%2FUSD";
    for (const path of ["latest/bars", "latest/quotes", "latest/trades", "snapshots"]) {
      await body(`/v1beta3/crypto/us/${path}?${coins}`);
    }
    const hours = await body(
      `/v1beta3/crypto/us/bars?${coins}&timeframe=4Hour&start=2024-07-08&end=2024-07-08`,
    );
    expect(hours.bars["BTC/USD"].map(({ t }: { t: string }) => t.slice(11, 13))).toEqual([
      "00",
      "04",
      "08",
      "12",
      "16",
      "20",
    ]);
    expect(Object.keys(hours.bars)).toEqual(["BTC/USD", "ETH/USD"]);
  });

  it("have no news and no contracts where no source has any", async () => {
    expect(await body("/v1beta1/news")).toEqual({ news: [], next_page_token: null });
    const none = { option_contracts: [], next_page_token: null };
    expect(await body("/v2/options/contracts?underlying_symbols=AAPL")).toEqual(none);
  });

  it("say in their headers that the market is invented, and when a limit ends", async () => {
    const { headers } = await get("/v2/clock");
    expect(headers).toMatchObject({ "x-synthetic": "true", "x-request-id": expect.any(String) });
    const reset = Number(headers["x-ratelimit-reset"]);
    expect(reset).toBeGreaterThan(alpaca.clock.now() / 1_000);
    expect(reset).toBeLessThanOrEqual(alpaca.clock.now() / 1_000 + 61);
  });
});

describe("errors of the dialect", () => {
  it.each([
    ["/v2/stocks/bars?symbols=AAPL&timeframe=7Foo", 400, 40010001, "invalid timeframe: 7Foo"],
    ["/v2/stocks/bars?timeframe=1Day", 400, 40010001, "symbols"],
    ["/v2/stocks/bars?symbols=AAPL&timeframe=1Day&adjustment=dividend", 400, 40010001, "raw, split and all"],
    ["/v2/stocks/bars?symbols=AAPL&timeframe=1Day&adjustment=none", 400, 40010001, "invalid adjustment"],
    ["/v2/stocks/bars?symbols=AAPL&timeframe=1Day&page_token=x", 400, 40010001, "invalid page_token"],
    ["/v2/account/activities?page_token=abc", 400, 40010001, "invalid page_token"],
    ["/v2/account/portfolio/history?start=2090-01-01", 400, 40010001, "start lies in the future"],
    ["/v2/account/portfolio/history?start=2024-02-01&end=2024-01-01", 400, 40010001, "start lies after end"],
    [
      "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2024-02-01&end=2024-01-01",
      400,
      40010001,
      "before start",
    ],
    ["/v2/stocks/bars?symbols=AAPL&timeframe=1Day&limit=10001", 400, 40010001, "limit"],
    ["/v2/stocks/bars?symbols=A..B&timeframe=1Day", 400, 40010001, "invalid symbol: A..B"],
    ["/v2/stocks/quotes?symbols=AAPL", 404, 40410000, "not kept"],
    ["/v2/stocks/BTCUSD/trades/latest", 404, 40410000, "no trade found for BTCUSD"],
    ["/v2/assets/%00", 400, 40010001, "NUL"],
    ["/v2/assets/%ED%A0%80", 400, 40010001, ""],
    ["/v2/nothing", 404, 40410000, "is not served"],
    ["/v1beta1/logos/AAPL", 404, 40410000, "is not served"],
    ["/v1/nothing", 404, 40410000, "is not served"],
    ["/v3/nothing", 404, 40410000, "is not served"],
  ])("GET %s is %i with %i", async (url, status, code, text) => {
    const answer = await alpaca.program.server.inject({ url, headers: { ...alpaca.headers } });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ code, message: expect.stringContaining(text) });
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
  });

  it("are those of the dialect on its routes alone", async () => {
    const answer = await alpaca.program.call("/api/candles?symbol=AAPL&interval=x");
    expect(answer.json()).toMatchObject({ success: false, code: "invalid_request" });
  });

  it("429 with its code, once a minute's requests are used up", async () => {
    const strict = await startAlpacaProgram({ environment: { RATE_LIMIT_MULTIPLIER: "1" } });
    const statuses: number[] = [];
    for (let i = 0; i < 201; i++) statuses.push((await strict.program.server.inject("/v2/clock")).statusCode);
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    const refused = await strict.program.call("/v2/clock");
    expect(refused.json()).toEqual({ code: 42910000, message: "rate limit exceeded" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    await strict.program.close();
  });
});

describe("requests of the dialect", () => {
  it("may have an empty content type where there is no body, as those of the client 3.1.3", async () => {
    const app = fastify();
    app.decorate("synthetic", false);
    speakDialect(app, () => ({ error: new AppError("internal", "not expected") }), Date.now);
    app.delete("/orders", async () => []);
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => app.close());
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { "content-type": "" };
      const sent = request(`${url}/orders`, { method: "DELETE", headers }, ({ statusCode }) =>
        resolve(statusCode),
      );
      sent.on("error", reject).end();
    });
    expect(status).toBe(200);
  });
});

describe("keys of the dialect", () => {
  const status = async (headers: Record<string, string>) =>
    (await alpaca.program.call({ url: "/v2/clock", headers })).statusCode;
  const pair = (id: string, secret: string) => ({ "apca-api-key-id": id, "apca-api-secret-key": secret });
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
  });

  it("200 with the id of a key, or its user's name, and the key, in all ways that clients have", async () => {
    const { id, secret } = alpaca.key;
    for (const headers of [
      pair(id, secret),
      pair(id.toUpperCase(), secret),
      pair("owner", secret),
      basic(id, secret),
      { authorization: `Bearer ${secret}` },
      { "x-api-key": secret },
    ])
      expect(await status(headers), JSON.stringify(headers)).toBe(200);
  });

  it("401 with half a pair, a wrong one, or the id of another key", async () => {
    const { id, secret } = alpaca.key;
    const other = await alpaca.program.call({
      method: "POST",
      url: "/api/auth/keys",
      payload: { name: "b" },
    });
    for (const headers of [
      { "apca-api-key-id": id },
      { "apca-api-secret-key": secret },
      pair(id, `${secret}x`),
      pair(other.json().data.id, secret),
      basic(other.json().data.id, secret),
      { authorization: "Basic !" },
      { authorization: `Digest ${secret}` },
    ])
      expect(await status(headers as Record<string, string>), JSON.stringify(headers)).toBe(401);
    const refused = await alpaca.program.call({ url: "/v2/clock", headers: pair(id, "x") });
    expect(refused.json()).toEqual({ code: 40110000, message: expect.any(String) });
  });
});
