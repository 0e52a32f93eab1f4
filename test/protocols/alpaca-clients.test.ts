import { Alpaca, TimeFrameUnit, timeFrame } from "alpaca-client";
import Alpaca3 from "alpaca-client-3/dist/alpaca-trade-api.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlpacaProgram, fetchAt, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

const check = createVendorChecker();
const wrong: string[] = [];

let alpaca: AlpacaProgram;
let newer: Alpaca;
let older: Alpaca3;
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
  const { url, key, program } = alpaca;
  await program.call({ method: "POST", url: "/api/risk-settings", payload: ROOMY });
  newer = new Alpaca({
    keyId: key.id,
    secret: key.secret,
    retry: false,
    fetchApi: fetchAt(url, async (path, answer, method) => {
      const text = await answer.text();
      const body: unknown = text === "" ? null : JSON.parse(text);
      wrong.push(...(check?.(decodeURIComponent(path), answer.status, body, method) ?? []));
    }),
  });
  older = new Alpaca3({ keyId: key.id, secretKey: key.secret, baseUrl: url, dataBaseUrl: url });
});
afterAll(async () => {
  await alpaca.program.close();
  expect(wrong).toEqual([]);
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("the official client 4.0.2", () => {
  it("reads the clock, the calendar and assets", async () => {
    const clock = await newer.trading.clock.legacyClock();
    expect(clock.isOpen).toBe(true);
    expect(new Date(clock.nextClose).toISOString()).toBe("2024-07-09T20:00:00.000Z");
    const days = await newer.trading.calendar.legacyCalendar({
      start: new Date("2024-07-01T12:00:00Z"),
      end: new Date("2024-07-05T12:00:00Z"),
    });
    expect(days.map(({ close }) => close)).toEqual(["16:00", "16:00", "13:00", "16:00"]);
    const assets = await newer.trading.assets.getV2Assets({ assetClass: "crypto" });
    expect(assets.map(({ symbol }) => symbol)).toContain("BTC/USD");
    const asset = await newer.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: "AAPL" });
    expect(asset).toMatchObject({ symbol: "AAPL", _class: "us_equity", tradable: true });
    const { optionContracts } = await newer.trading.assets.getOptionsContracts({ underlyingSymbols: "AAPL" });
    expect(optionContracts).toEqual([]);
  });

  it("reads bars, raw and in its own shape, over several pages", async () => {
    const raw = await newer.marketData.stocks.stockBars({
      symbols: "AAPL,MSFT",
      timeframe: "1Day",
      start: new Date("2024-06-03T00:00:00Z"),
      end: new Date("2024-06-07T23:00:00Z"),
      limit: 3,
    });
    expect(raw.bars.AAPL).toHaveLength(3);
    expect(raw.nextPageToken).not.toBeNull();
    const bars = await newer.marketData.getStockBars({
      symbols: ["AAPL", "MSFT"],
      timeframe: timeFrame(1, TimeFrameUnit.Hour),
      start: new Date("2024-07-08T00:00:00Z"),
      end: new Date("2024-07-09T00:00:00Z"),
      limit: 5,
    });
    expect(bars.AAPL[0]).toMatchObject({ open: expect.any(Number), close: expect.any(Number) });
    const coins = await newer.marketData.getCryptoBarsFor("BTC/USD", {
      loc: "us",
      timeframe: timeFrame(1, TimeFrameUnit.Hour),
      start: new Date("2024-07-08T00:00:00Z"),
      end: new Date("2024-07-08T05:00:00Z"),
    });
    expect(coins).toHaveLength(6);
  });

  it("reads what is newest, snapshots and news", async () => {
    const { bar } = await newer.marketData.stocks.stockLatestBarSingle({ symbol: "AAPL" });
    expect(bar.t).toEqual(new Date("2024-07-09T14:59:00Z"));
    const { trades } = await newer.marketData.stocks.stockLatestTrades({ symbols: "AAPL,MSFT" });
    expect(Object.keys(trades)).toEqual(["AAPL", "MSFT"]);
    await newer.marketData.stocks.stockLatestQuotes({ symbols: "AAPL" });
    const snapshots = await newer.marketData.stocks.stockSnapshots({ symbols: "AAPL" });
    expect(snapshots.AAPL.minuteBar?.c).toBe(bar.c);
    const { snapshots: coins } = await newer.marketData.crypto.cryptoSnapshots({
      loc: "us",
      symbols: "BTC/USD",
    });
    expect(coins["BTC/USD"].dailyBar?.t).toEqual(new Date("2024-07-09T00:00:00Z"));
    await newer.marketData.crypto.cryptoLatestBars({ loc: "us", symbols: "BTC/USD" });
    expect((await newer.marketData.news.news({ symbols: "AAPL" })).news).toEqual([]);
  });

  it("places orders by its builders, waits for one, and reads activities page by page", async () => {
    const { trading } = newer;
    const { orders } = trading;
    const buy = { symbol: "AAPL", side: "buy", qty: 2 } as const;
    const stream = trading.stream({ url: `${alpaca.url.replace("http", "ws")}/stream` });
    // It places the order as soon as it is told that the server listens, and waits for the fill on the stream.
    const waiting = trading.submitAndWait({ ...buy, type: "market", timeInForce: "day" }, { stream });
    stream.connect();
    const filled = await waiting;
    expect(filled).toMatchObject({ status: "filled", filledQty: "2", filledAt: expect.any(Date) });
    stream.disconnect();
    const price = Number(filled.filledAvgPrice);
    const at = (share: number) => (price * share).toFixed(2);
    const sell = { symbol: "AAPL", side: "sell", qty: 1, timeInForce: "gtc" } as const;
    const legs = { takeProfit: { limitPrice: at(1.1) }, stopLoss: { stopPrice: at(0.9) } };
    const placed = [
      await orders.limit({ ...buy, limitPrice: at(0.9) }),
      await orders.stop({ ...buy, stopPrice: at(1.1) }),
      await orders.stopLimit({ ...buy, stopPrice: at(1.1), limitPrice: at(1.2) }),
      await orders.trailingStop({ ...sell, trailPercent: 5 }),
      await orders.bracket({ ...buy, ...legs }),
      await orders.oco({ ...sell, ...legs }),
      await orders.oto({ ...buy, limitPrice: at(0.95), stopLoss: legs.stopLoss }),
      await orders.market({ symbol: "MSFT", side: "buy", notional: 100 }),
    ];
    expect(placed.map(({ status }) => status)).toEqual([
      ...["new", "new", "new", "new", "filled", "new", "new", "filled"],
    ]);
    const activities = await all(trading.iterateActivities({ pageSize: 1 }));
    expect(activities.map((each) => each.activityType)).toEqual(["FILL", "FILL", "FILL", "CSD"]);
    const [result, ...others] = await trading.closeAllPositions({ cancelOrders: true });
    expect([result, others.length]).toMatchObject([{ status: 200, body: { status: "filled" } }, 1]);
  });

  it("tells apart what is not found, not valid and not permitted", async () => {
    const missing = newer.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: "A..B" });
    await expect(missing).rejects.toMatchObject({ name: "ValidationError", status: 400, code: 40010001 });
    const past = newer.marketData.stocks.stockTrades({ symbols: "AAPL" });
    await expect(past).rejects.toMatchObject({ name: "NotFoundError", status: 404, code: 40410000 });
    const { url } = alpaca;
    const fetchApi = fetchAt(url, async () => undefined);
    const stranger = new Alpaca({ keyId: "nobody", secret: "x".repeat(40), retry: false, fetchApi });
    await expect(stranger.trading.clock.legacyClock()).rejects.toMatchObject({
      name: "AuthError",
      status: 401,
    });
  });
});

describe("the official client 3.1.3", () => {
  it("reads the clock, the calendar and assets", async () => {
    expect(await older.getClock()).toMatchObject({ is_open: true, next_close: "2024-07-09T16:00:00-04:00" });
    const days = await older.getCalendar({ start: new Date("2024-07-02"), end: new Date("2024-07-05") });
    expect(days.map(({ date }: { date: string }) => date)).toEqual([
      "2024-07-02",
      "2024-07-03",
      "2024-07-05",
    ]);
    const assets = await older.getAssets({ status: "active", asset_class: "us_equity" });
    expect(assets.length).toBeGreaterThan(10);
    expect(await older.getAsset("BTC/USD")).toMatchObject({ symbol: "BTC/USD", class: "crypto" });
    expect(await older.getAsset("AAPL")).toMatchObject({ symbol: "AAPL", class: "us_equity" });
  });

  it("reads bars over several pages, and those of several shares", async () => {
    const options = { start: "2024-07-08T00:00:00Z", end: "2024-07-08", timeframe: "1Min", pageLimit: 100 };
    const bars = await all(older.getBarsV2("AAPL", { ...options }));
    expect(bars).toHaveLength(390);
    expect(bars[0]).toMatchObject({ Timestamp: "2024-07-08T13:30:00Z", OpenPrice: expect.any(Number) });
    const several = await older.getMultiBarsV2(["AAPL", "MSFT"], { ...options, timeframe: "1Day" });
    expect([...several.keys()]).toEqual(["AAPL", "MSFT"]);
    const coins = await older.getCryptoBars(["BTC/USD"], { ...options, timeframe: "1Hour" });
    expect(coins.get("BTC/USD")).toHaveLength(24);
  });

  it("reads what is newest, snapshots and news", async () => {
    expect(await older.getLatestBar("AAPL")).toMatchObject({ Timestamp: "2024-07-09T14:59:00Z" });
    expect((await older.getLatestBars(["AAPL", "MSFT"])).size).toBe(2);
    expect(await older.getLatestTrade("AAPL")).toMatchObject({ Price: expect.any(Number) });
    expect((await older.getLatestTrades(["AAPL"])).size).toBe(1);
    await older.getLatestQuotes(["AAPL"]);
    const snapshot = await older.getSnapshot("AAPL");
    expect(snapshot).toMatchObject({ symbol: "AAPL", DailyBar: { ClosePrice: expect.any(Number) } });
    expect(await older.getSnapshots(["AAPL", "MSFT"])).toHaveLength(2);
    const coins = await older.getCryptoSnapshots(["BTC/USD", "ETH/USD"]);
    expect([...coins.keys()]).toEqual(["BTC/USD", "ETH/USD"]);
    expect((await older.getLatestCryptoBars(["BTC/USD"])).size).toBe(1);
    expect(await older.getNews({ symbols: ["AAPL"], totalLimit: 5 })).toEqual([]);
  });

  it("tells why it was refused", async () => {
    const past = all(older.getTradesV2("AAPL", { start: "2024-07-08", end: "2024-07-08" }));
    await expect(past).rejects.toThrow("code: 404, message: past quotes and trades are not kept here");
  });
});
