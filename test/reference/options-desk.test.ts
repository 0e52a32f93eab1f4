import { beforeAll, describe, expect, it } from "vitest";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { complete, fileText, nseBody, type Row, table, useDeskProgram } from "./option-files.js";

const { get, load } = useDeskProgram();

interface Leg {
  readonly oi: number | null;
  readonly iv: number | null;
  readonly iv_reason: string | null;
  readonly iv_from: string | null;
  readonly ltp: number | null;
  readonly delta: number | null;
}
interface Strike {
  readonly strike: number;
  readonly call: Leg | null;
  readonly put: Leg | null;
}

describe.skipIf(!complete)("NSE's chain of NIFTY on 2022-03-28, loaded and read over HTTP", () => {
  beforeAll(async () => {
    const body = nseBody();
    const loaded = await load(body);
    expect(loaded).toMatchObject({
      symbol: "^NSEI",
      stored: true,
      strikes: 957,
      rejected_count: 0,
      issues: [],
    });
    expect(loaded.legs).toBe(body.quotes.length);
    expect(loaded.expiries).toHaveLength(21);
    expect(await load(body)).toMatchObject({ stored: false });
  });

  it("has the exchange's totals and the ratios and max pain derived from them", async () => {
    const data = await get("/api/options/analytics/NIFTY");
    expect(data).toMatchObject({
      symbol: "^NSEI",
      source: "nse",
      synthetic: false,
      loaded: true,
      stale: true,
      as_of: "2022-03-28T05:17:19.000Z",
      spot: 17_022.5,
      expiries_read: 21,
      expiries_listed: null,
      previous_oi_from: "source",
      trouble: "No configured source lists options on ^NSEI",
      iv_rank: { rank: { value: null }, sessions: 0, sessions_needed: 60 },
    });
    const { filtered } = JSON.parse(fileText("nse"));
    const { selected } = data;
    expect(selected.expiry).toBe("2022-03-31");
    expect(selected.totals).toMatchObject({
      call_oi: 2_017_305,
      put_oi: 1_479_301,
      call_volume: filtered.CE.totVol,
      put_volume: filtered.PE.totVol,
    });
    expect([selected.totals.call_oi, selected.totals.put_oi]).toEqual([filtered.CE.totOI, filtered.PE.totOI]);
    expect(selected.pcr.oi.value).toBeCloseTo(0.733306, 6);
    expect(data.pcr.oi.value).toBeCloseTo(0.852312, 6);
    expect(selected.max_pain).toEqual({ value: 17_100, reason: null });
    expect(selected.support).toMatchObject({ strike: 16_000, oi: 131_184 });
    expect(selected.resistance).toMatchObject({ strike: 18_000, oi: 209_377 });
  });

  it("keeps its ratios whatever is filtered, and tells what was", async () => {
    const narrow = await get("/api/options/chain/NIFTY?within=0.01&always_within=0&min_oi=100000");
    expect(narrow.filter).toMatchObject({ original: 117, rules: { within: 0.01, min_oi: 100_000 } });
    expect(narrow.strikes).toHaveLength(narrow.filter.filtered);
    expect(narrow.filter.filtered).toBeLessThan(15);
    const usual = await get("/api/options/chain/NIFTY");
    const { kept, dropped, original, filtered } = usual.filter;
    expect(kept.near_money + kept.near_enough + kept.traded).toBe(filtered);
    expect(filtered + dropped.distance + dropped.oi + dropped.volume).toBe(original);
    const whole = await get("/api/options/chain/NIFTY?filter=false");
    expect([whole.filter, whole.filter_reason, whole.strikes.length]).toEqual([null, "not asked for", 117]);
    const puts = whole.strikes.reduce((sum: number, { put }: Strike) => sum + (put?.oi ?? 0), 0);
    expect(puts).toBe(1_479_301);
    expect((await get("/api/options/analytics/NIFTY")).selected.pcr.oi.value).toBeCloseTo(0.733306, 6);
  });

  it("solves volatilities near the money within about a point of the exchange's own", async () => {
    const body = nseBody();
    // Without the exchange's own volatilities, a second earlier: all are ours.
    const bare = body.quotes.map(({ iv: _, ...leg }: Record<string, unknown>) => leg);
    await load({ ...body, time: "2022-03-28T10:47:18+05:30", source: "bare", quotes: bare });
    const own = await get("/api/options/chain/NIFTY?at=2022-03-28T05:17:19Z&filter=false");
    const query = "at=2022-03-28T05:17:18Z&filter=false&price=last&rate=0.05&dividend_yield=0";
    const solved = await get(`/api/options/chain/NIFTY?${query}`);
    expect(solved.pricing).toMatchObject({
      cut_off: "2022-03-31T10:00:00.000Z",
      cut_off_from: "expiry rules",
      rate_from: "request",
      dividend_yield_from: "request",
    });
    const bySource = new Map<number, Strike>(own.strikes.map((row: Strike) => [row.strike, row]));
    const differences: number[] = [];
    let reasons = 0;
    for (const { strike, call, put } of solved.strikes as Strike[]) {
      for (const [ours, theirs] of [
        [call, bySource.get(strike)?.call],
        [put, bySource.get(strike)?.put],
      ]) {
        if (ours?.iv == null) {
          expect(ours === null || typeof ours?.iv_reason === "string").toBe(true);
          reasons++;
          continue;
        }
        expect(ours.iv_from).toBe("price");
        if (Math.abs(strike / 17_022.5 - 1) > 0.02) continue;
        expect(theirs?.iv_from).toBe("source");
        differences.push(Math.abs(ours.iv - (theirs?.iv ?? Number.NaN)));
      }
    }
    expect(differences).toHaveLength(28);
    expect(Math.max(...differences)).toBeLessThan(0.0105);
    expect(reasons).toBeGreaterThan(0);
  });
});

interface UpstoxLeg {
  readonly market_data: Readonly<
    Record<"ltp" | "oi" | "prev_oi" | "volume" | "bid_price" | "ask_price", number>
  >;
  readonly option_greeks: Readonly<Record<"iv" | "delta" | "gamma" | "theta" | "vega", number>>;
}

describe.skipIf(!complete)("Upstox's chain of NIFTY on 2024-06-20, loaded and read over HTTP", () => {
  interface UpstoxRow {
    readonly expiry: string;
    readonly pcr: number;
    readonly strike_price: number;
    readonly underlying_spot_price: number;
    readonly call_options: UpstoxLeg;
    readonly put_options: UpstoxLeg;
  }
  const rows: readonly UpstoxRow[] = complete ? JSON.parse(fileText("upstox")).data : [];

  beforeAll(async () => {
    const quotes = rows.flatMap((row) =>
      (["call", "put"] as const).map((right) => {
        const { market_data: data, option_greeks: greeks } = row[`${right}_options`];
        const { iv, delta, gamma, theta, vega } = greeks;
        const figures = { last: data.ltp, volume: data.volume, oi: data.oi, prev_oi: data.prev_oi };
        const quote = { bid: data.bid_price, ask: data.ask_price, iv: iv / 100, delta, gamma, theta, vega };
        return { expiry: row.expiry, strike: row.strike_price, right, ...figures, ...quote };
      }),
    );
    const spot = rows[0].underlying_spot_price;
    const time = "2024-06-20T14:20:00+05:30";
    expect(await load({ symbol: "^NSEI", time, spot, source: "upstox", quotes })).toMatchObject({
      strikes: 104,
    });
  });

  it("has the vendor's put-call ratio at each strike, and its greeks as they came", async () => {
    const { strikes } = await get("/api/options/chain/NIFTY?filter=false&expiry=2024-06-20");
    expect(strikes).toHaveLength(104);
    for (const [i, { strike, call, put }] of strikes.entries()) {
      expect(strike).toBe(rows[i].strike_price);
      expect(Math.abs(put.oi / call.oi - rows[i].pcr), String(strike)).toBeLessThan(6e-5);
      expect(call.oi_change).toBe(call.oi - rows[i].call_options.market_data.prev_oi);
      expect([call.delta, call.greeks_from]).toEqual([rows[i].call_options.option_greeks.delta, "source"]);
    }
    const at20400 = strikes.find(({ strike }: Strike) => strike === 20_400);
    expect(at20400.put.oi / at20400.call.oi).toBeCloseTo(55.2078, 4);
  });

  it("without expiries after thirty days has no volatility for them, and says so", async () => {
    const data = await get("/api/options/analytics/NIFTY?expiry=2024-06-20");
    expect(data.iv_30d).toEqual({
      value: null,
      reason: "no expiries with a volatility on both sides of 30 days",
    });
    expect(data.iv_rank.rank).toEqual({ value: null, reason: "no volatility now" });
    expect(data.selected.oi_change.call.value).toEqual(
      rows.reduce((sum, { call_options: { market_data: data } }) => sum + data.oi - data.prev_oi, 0),
    );
  });
});

describe.skipIf(!complete)("LEAN's chains of US stocks, loaded and read over HTTP", () => {
  const CHAINS = [
    ["aapl", "AAPL", 5],
    ["goog", "GOOG", 2],
    ["nwsa", "NWSA", 6],
  ] as const;

  it.each(CHAINS)(
    "of %s are stored by the day and agree with sums of the file",
    async (name, symbol, days) => {
      const rows = table(name);
      const dates = [...new Set(rows.map((row) => row.date))].sort();
      expect(dates).toHaveLength(days);
      for (const date of dates) {
        const own = rows.filter((row) => row.date === date);
        const quotes = own.map((row) => ({
          expiry: row.expiry,
          strike: Number(row.strike),
          right: row.right === "C" ? "call" : "put",
          last: Number(row.close),
          volume: Number(row.volume),
          oi: row.open_interest === "" ? null : Number(row.open_interest),
        }));
        const loaded = await load({
          symbol,
          time: `${date}T16:00:00-04:00`,
          spot: Number(own[0].underlying_close),
          source: "lean",
          quotes,
        });
        expect(loaded).toMatchObject({ rejected_count: 0, stored: true });
        // Last prices of before AAPL's split of 2014-06-09 stand in the file.
        const isSplit = symbol === "AAPL" && date >= "2014-06-09";
        const dear = { code: "option_trade_above_bound", severity: "warning" };
        expect(loaded.issues).toMatchObject(isSplit ? [dear] : []);
        expect(loaded.expiries).toEqual([...new Set(own.map((row) => row.expiry))].sort());
      }
      const last = dates[dates.length - 1];
      const own = rows.filter((row) => row.date === last);
      const oi = (right: string, expiry?: string) =>
        own
          .filter((row) => row.right === right && (expiry === undefined || row.expiry === expiry))
          .reduce((sum, row) => sum + Number(row.open_interest), 0);
      const data = await get(`/api/options/analytics/${symbol}?at=${last}T23:00:00Z`);
      expect(data.totals).toMatchObject({ call_oi: oi("C"), put_oi: oi("P") });
      expect(data.totals.unknown_oi).toBe(own.filter((row) => row.open_interest === "").length);
      expect(data.pcr.oi.value ?? Number.NaN).toBeCloseTo(oi("P") / oi("C"), 12);
      for (const { expiry, totals, max_pain } of data.by_expiry) {
        expect(totals).toMatchObject({ call_oi: oi("C", expiry), put_oi: oi("P", expiry) });
        expect(max_pain.value).toBe(leastPayout(own.filter((row) => row.expiry === expiry)));
      }
      // The day before in the file is the session before: the change is between the two.
      expect(data.previous_oi_from).toBe("snapshot");
      const history = await get(`/api/options/history/${symbol}?limit=1000`);
      expect(history.length).toBeGreaterThanOrEqual(days - 1);
      expect(await get(`/api/options/snapshots/${symbol}`)).toHaveLength(days);
    },
  );

  /** Max pain by the definition: the strike at which all payouts sum to least, the lowest of equals. */
  function leastPayout(rows: readonly Row[]): number | null {
    const strikes = [...new Set(rows.map((row) => Number(row.strike)))].sort((a, b) => a - b);
    const held = rows.filter((row) => Number(row.open_interest) > 0);
    if (held.length === 0) return null;
    const paid = strikes.map((settled) =>
      held.reduce((sum, row) => {
        const inside = (row.right === "C" ? 1 : -1) * (settled - Number(row.strike));
        return sum + Math.max(0, inside) * Number(row.open_interest);
      }, 0),
    );
    return strikes[paid.indexOf(Math.min(...paid))];
  }

  it("expire on dates that our calendar has", async () => {
    const { expiries } = await get("/api/options/expiries/GOOG?from=2015-12-24&to=2016-01-31");
    const named = expiries.map(({ date }: { date: string }) => date);
    const listed = new Set(table("goog").map((row) => row.expiry));
    const near = [...listed].filter((date) => dayOf(date) <= dayOf("2016-01-31")).sort();
    expect(near.filter((date) => !named.includes(date))).toEqual([]);
    expect(named).toContain(dateOf(dayOf("2015-12-31")));
  });
});
