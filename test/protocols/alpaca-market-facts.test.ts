import { Alpaca } from "alpaca-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlpacaProgram, fetchAt, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";

const check = createVendorChecker();

let alpaca: AlpacaProgram;
const wrong: string[] = [];
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
});
afterAll(() => alpaca.program.close());

async function get(url: string) {
  const answer = await alpaca.program.call({ url, headers: alpaca.headers });
  wrong.push(...(check?.(url.split("?")[0] ?? "", answer.statusCode, answer.json()) ?? []));
  return { status: answer.statusCode, body: answer.json() };
}

const ofMarket = (acronym: string) => ({ market: expect.objectContaining({ acronym }) });

describe("clocks of markets", () => {
  it.each([
    ["2024-07-09T11:00:30-04:00", "core", "2024-07-09T16:00:00-04:00", true],
    ["2024-07-09T03:00:00-04:00", "closed", "2024-07-09T04:00:00-04:00", true],
    ["2024-07-09T04:00:00-04:00", "pre", "2024-07-09T09:30:00-04:00", true],
    ["2024-07-03T13:00:00-04:00", "post", "2024-07-03T17:00:00-04:00", true],
    ["2024-07-03T17:00:00-04:00", "closed", "2024-07-05T04:00:00-04:00", true],
    ["2024-07-04T12:00:00-04:00", "closed", "2024-07-05T04:00:00-04:00", false],
    // Clocks were put forward on the Sunday.
    ["2024-03-08T21:00:00-05:00", "closed", "2024-03-11T04:00:00-04:00", true],
  ])("at %s: %s until %s", async (time, phase, until, day) => {
    const { body } = await get(`/v3/clock?markets=NYSE&time=${encodeURIComponent(time)}`);
    expect(body.clocks).toEqual([
      expect.objectContaining({
        ...ofMarket("NYSE"),
        timestamp: time,
        phase,
        phase_until: until,
        is_market_day: day,
      }),
    ]);
  });

  it("are of now and of all that are known, and of none that is not", async () => {
    const { body } = await get("/v3/clock");
    expect(body.clocks).toEqual(
      ["NYSE", "NASDAQ", "IEX"].map((name) => expect.objectContaining(ofMarket(name))),
    );
    const { body: plain } = await get("/v2/clock");
    for (const clock of body.clocks) {
      expect(clock).toMatchObject({
        timestamp: plain.timestamp,
        next_market_open: plain.next_open,
        next_market_close: plain.next_close,
        phase: "core",
      });
    }
    expect(await get("/v3/clock?markets=XNYS,LSE")).toMatchObject({ status: 404, body: { code: 40410000 } });
  });
});

describe("calendars of markets", () => {
  it("have the hours of trading around the session, on the clock of the market or of UTC", async () => {
    const { body } = await get("/v3/calendar/XNAS?start=2024-07-03&end=2024-07-05");
    expect(body).toMatchObject({ market: { acronym: "NASDAQ", mic: "XNAS" } });
    expect(body.calendar.map(({ date }: { date: string }) => date)).toEqual(["2024-07-03", "2024-07-05"]);
    expect(body.calendar[0]).toEqual({
      date: "2024-07-03",
      pre_start: "2024-07-03T04:00:00-04:00",
      pre_end: "2024-07-03T09:30:00-04:00",
      core_start: "2024-07-03T09:30:00-04:00",
      core_end: "2024-07-03T13:00:00-04:00",
      post_start: "2024-07-03T13:00:00-04:00",
      post_end: "2024-07-03T17:00:00-04:00",
      settlement_date: "2024-07-05",
    });
    const { body: utc } = await get("/v3/calendar/NYSE?start=2024-07-05&end=2024-07-05&timezone=UTC");
    expect(utc.calendar[0]).toMatchObject({ core_start: "2024-07-05T13:30:00Z" });
    const { body: week } = await get("/v3/calendar/NYSE");
    expect(week.calendar).toHaveLength(6);
    expect((await get("/v3/calendar/TADAWUL")).status).toBe(404);
  });
});

describe("what letters mean", () => {
  it("is told of exchanges, and of sales and quotes by tape", async () => {
    expect((await get("/v2/stocks/meta/exchanges")).body).toMatchObject({
      N: "New York Stock Exchange",
      V: "IEX",
    });
    const tape = async (name: string) => (await get(`/v2/stocks/meta/conditions/trade?tape=${name}`)).body;
    expect(await tape("A")).toEqual(await tape("B"));
    expect(await tape("A")).toMatchObject({ " ": "Regular Sale", I: "Odd Lot Trade" });
    expect(await tape("C")).toMatchObject({ "@": "Regular Sale", I: "Odd Lot Trade" });
    expect((await get("/v2/stocks/meta/conditions/trade")).status).toBe(400);
    const quote = async (name: string) => (await get(`/v2/stocks/meta/conditions/quote?tape=${name}`)).body;
    expect(await quote("B")).toMatchObject({ R: "Regular Market Maker Open", N: "Non Firm Quote" });
    expect(await quote("C")).toMatchObject({
      R: "Regular Two Sided Open",
      Y: "No Offer No Bid One Sided Open",
    });
    expect((await get("/v2/stocks/meta/conditions/bar?tape=A")).status).toBe(400);
  });
});

describe("corporate actions", () => {
  const SPAN = "start=2023-01-01&end=2024-12-31";
  const DAY = Date.UTC(2024, 5, 10) / 86_400_000;

  it("are told by ex-day, kind and page, as the rest of the server knows them", async () => {
    const { actions, instruments } = alpaca.program.parts;
    const load = actions.load.bind(actions);
    const given = {
      AAPL: [
        { kind: "split", exDay: DAY, ratio: 4 },
        { kind: "dividend", exDay: DAY - 30, amount: 0.25, currency: "USD" },
      ],
      SPY: [{ kind: "split", exDay: DAY + 1, ratio: 0.05 }],
      KO: [{ kind: "split", exDay: DAY + 2, ratio: 1.5 }],
    } as const;
    actions.load = async (instrument, moment) => ({
      ...(await load(instrument, moment)),
      actions: given[instrument.symbol as keyof typeof given] ?? [],
    });
    try {
      const { body } = await get(`/v1/corporate-actions?symbols=AAPL,SPY,KO,MSFT&${SPAN}`);
      const {
        cash_dividends: paid,
        forward_splits: forward,
        reverse_splits: reverse,
      } = body.corporate_actions;
      expect(paid).toEqual([
        expect.objectContaining({ symbol: "AAPL", rate: 0.25, ex_date: "2024-05-11", currency: "USD" }),
      ]);
      expect(forward).toEqual([
        expect.objectContaining({ symbol: "AAPL", new_rate: 4, old_rate: 1, ex_date: "2024-06-10" }),
        expect.objectContaining({ symbol: "KO", new_rate: 3, old_rate: 2 }),
      ]);
      expect(reverse).toEqual([expect.objectContaining({ symbol: "SPY", new_rate: 1, old_rate: 20 })]);
      const ids: string[] = [];
      let token: string | null = "";
      while (token !== null) {
        const page: string = token === "" ? "" : `&page_token=${token}`;
        const one = (await get(`/v1/corporate-actions?symbols=AAPL,SPY,KO&${SPAN}&limit=1&sort=desc${page}`))
          .body;
        for (const each of Object.values<{ id: string }[]>(one.corporate_actions).flat()) ids.push(each.id);
        token = one.next_page_token;
      }
      expect(ids).toEqual([forward[1].id, reverse[0].id, forward[0].id, paid[0].id]);
      const only = await get(
        `/v1/corporate-actions?symbols=AAPL,SPY&types=cash_dividend,name_change&${SPAN}`,
      );
      expect(Object.keys(only.body.corporate_actions)).toEqual(["cash_dividends"]);
      expect((await get("/v1/corporate-actions?symbols=AAPL,SPY")).body.corporate_actions).toEqual({});
      expect((await get(`/v1/corporate-actions?symbols=AAPL&${SPAN}&page_token=x`)).status).toBe(400);
      expect(instruments.identify("AAPL").symbol).toBe("AAPL");
    } finally {
      actions.load = load;
    }
  });
});

describe("screeners", () => {
  it("rank what is scanned by its move since the close before", async () => {
    const scanned = alpaca.program.parts.scanner.config().symbols;
    const { body } = await get("/v1beta1/screener/stocks/movers?top=3");
    for (const [side, way] of [
      ["gainers", 1],
      ["losers", -1],
    ] as const) {
      const rows = body[side] as Record<string, number>[];
      expect(rows.length).toBeLessThanOrEqual(3);
      const moves = rows.map(({ percent_change: percent = 0 }) => way * percent);
      expect(moves).toEqual(moves.toSorted((a, b) => b - a));
      expect(moves.every((move) => move > 0)).toBe(true);
      for (const { symbol, price = 0, change = 0, percent_change: percent } of rows) {
        expect(scanned).toContain(symbol);
        expect((100 * change) / (price - change)).toBeCloseTo(percent ?? 0, 6);
      }
    }
    expect(body.gainers.length + body.losers.length).toBeGreaterThan(0);
    expect((await get("/v1beta1/screener/crypto/movers")).body.market_type).toBe("crypto");
    expect((await get("/v1beta1/screener/bonds/movers")).status).toBe(400);
  });

  it("rank it by volume, and not by trades that nobody counts", async () => {
    const { body } = await get("/v1beta1/screener/stocks/most-actives?top=4");
    const volumes = body.most_actives.map(({ volume }: { volume: number }) => volume);
    expect(volumes).toHaveLength(4);
    expect(volumes).toEqual(volumes.toSorted((a: number, b: number) => b - a));
    expect((await get("/v1beta1/screener/stocks/most-actives?by=trades")).status).toBe(404);
  });
});

describe("the official client", () => {
  it("reads them", async () => {
    const { url, key } = alpaca;
    const { marketData } = new Alpaca({
      keyId: key.id,
      secret: key.secret,
      retry: false,
      fetchApi: fetchAt(url, async () => undefined),
    });
    expect(await marketData.stocks.stockMetaExchanges()).toMatchObject({ V: "IEX" });
    expect((await marketData.screener.movers({ marketType: "stocks" })).marketType).toBe("stocks");
    expect(
      (await marketData.corporateActions.corporateActions({ symbols: "AAPL" })).nextPageToken,
    ).toBeNull();
  });
});

describe.skipIf(check === null)("all of it", () => {
  it("has the shapes that the vendor's document says", () => {
    expect([...new Set(wrong)]).toEqual([]);
  });
});
