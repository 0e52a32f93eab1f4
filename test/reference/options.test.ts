import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import type { OptionQuote, Right } from "../../src/core/market/option-quote.js";
import { type OptionTerms, optionGreeks, optionPrice } from "../../src/core/options/black-scholes.js";
import { collectChain } from "../../src/core/options/chain.js";
import { expiriesBetween, expiryOn, yearsTo } from "../../src/core/options/expiries.js";
import { filterChain } from "../../src/core/options/filter.js";
import { impliedVolatility } from "../../src/core/options/implied-volatility.js";
import { maxPain, payouts } from "../../src/core/options/max-pain.js";
import { openInterestWalls, putCallRatios, totals } from "../../src/core/options/open-interest.js";
import { atTheMoneyVolatility, impliedDividendYield, smileOf } from "../../src/core/options/smile.js";
import { unpacked } from "../fixtures/options.js";
import { sharedPath } from "../fixtures/shared.js";
import { type NseLeg, nseDate, type Row } from "./option-files.js";

function table(path: string): Row[] {
  const [head, ...lines] = unpacked(path).trim().split("\n");
  const names = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  });
}

const rightOf = (word: string): Right => (word === "call" || word === "C" ? "call" : "put");

const values = sharedPath("data", "reference", "black-scholes-values.csv");
const greeks = sharedPath("data", "reference", "black-scholes-greeks.csv");

describe.skipIf(values === null || greeks === null)(
  "Haug's values of European options (1998, through QuantLib)",
  () => {
    const termsOf = (row: Row): OptionTerms => ({
      right: rightOf(row.type),
      spot: Number(row.spot),
      strike: Number(row.strike),
      years: Number(row.t),
      rate: Number(row.r),
      dividendYield: Number(row.q),
    });

    it("are ours to the four digits printed, and give back their volatility", () => {
      const rows = table(ensure(values, "not skipped"));
      expect(rows.length).toBe(22);
      for (const row of rows) {
        const price = optionPrice(termsOf(row), Number(row.vol));
        expect(Math.abs(price - Number(row.value)), JSON.stringify(row)).toBeLessThan(1e-4);
        const implied = impliedVolatility(termsOf(row), price);
        expect(Math.abs(ensure(implied.volatility, "there is one") - Number(row.vol))).toBeLessThan(1e-12);
      }
    });

    it("have our greeks", () => {
      const rows = table(ensure(greeks, "not skipped"));
      expect(rows.length).toBe(11);
      for (const row of rows) {
        const ours = optionGreeks(termsOf(row), Number(row.vol));
        const named: Readonly<Record<string, number>> = {
          ...ours,
          theta_per_year: ours.theta,
          "theta_per_day(365)": ours.thetaPerDay,
          dividend_rho: ours.dividendRho,
        };
        expect(Math.abs(named[row.greek] - Number(row.value)), JSON.stringify(row)).toBeLessThan(1e-4);
      }
    });
  },
);

interface NseRow {
  readonly strikePrice: number;
  readonly expiryDate: string;
  readonly CE?: NseLeg;
  readonly PE?: NseLeg;
}

interface NseChain {
  readonly records: {
    readonly expiryDates: readonly string[];
    readonly data: readonly NseRow[];
    readonly underlyingValue: number;
  };
  readonly filtered: Readonly<Record<"CE" | "PE", { readonly totOI: number; readonly totVol: number }>>;
}

const nse = sharedPath("data", "options", "nse-NIFTY-2022-03-28.json.gz");

describe.skipIf(nse === null)("NSE's chain of NIFTY on 2022-03-28", () => {
  const { records, filtered }: NseChain =
    nse === null
      ? { records: { expiryDates: [], data: [], underlyingValue: 0 }, filtered: {} }
      : JSON.parse(unpacked(nse));
  const asOf = dayOf("2022-03-28");
  const quotes = records.data.flatMap((row): OptionQuote[] =>
    (["CE", "PE"] as const).flatMap((side) => {
      const leg = row[side];
      if (leg === undefined) return [];
      return {
        expiry: dayOf(nseDate(row.expiryDate)),
        strike: row.strikePrice,
        right: side === "CE" ? "call" : "put",
        last: leg.lastPrice,
        bid: leg.bidprice,
        ask: leg.askPrice,
        volume: leg.totalTradedVolume,
        openInterest: leg.openInterest,
        previousOpenInterest: leg.openInterest - leg.changeinOpenInterest,
        volatility: leg.impliedVolatility / 100,
      };
    }),
  );
  const time = Date.parse("2022-03-28T10:47:19+05:30");
  const { chain, rejected } = collectChain(
    { underlying: "NIFTY", time, spot: records.underlyingValue },
    quotes,
  );
  const nearest = chain.expiries[0];

  it("has the exchange's own totals, and the ratios and max pain derived from them", () => {
    expect(rejected).toEqual([]);
    expect(chain.strike.length).toBe(957);
    expect(chain.expiries.length).toBe(21);
    const sums = totals(chain, nearest);
    expect([sums.callOpenInterest, sums.putOpenInterest]).toEqual([2_017_305, 1_479_301]);
    expect([sums.callOpenInterest, sums.callVolume]).toEqual([filtered.CE.totOI, filtered.CE.totVol]);
    expect([sums.putOpenInterest, sums.putVolume]).toEqual([filtered.PE.totOI, filtered.PE.totVol]);
    const ratios = putCallRatios(chain);
    expect(ratios.openInterest.value).toBeCloseTo(0.852312, 6);
    expect(ratios.byExpiry[0].openInterest.value).toBeCloseTo(0.733306, 6);
    expect(maxPain(chain, nearest).value).toBe(17_100);
    const paid = payouts(chain, nearest);
    expect(chain.strike[nearest.from + paid.indexOf(Math.min(...paid))]).toBe(17_100);
    expect(openInterestWalls(chain, nearest)).toMatchObject({
      support: { strike: 16_000, openInterest: 131_184 },
      resistance: { strike: 18_000, openInterest: 209_377 },
    });
  });

  it("keeps its ratios when it is filtered, which the filtered chain does not", () => {
    const narrow = ensure(filterChain(chain), "the spot is known");
    expect(narrow.original).toBe(957);
    expect(narrow.filtered).toBeLessThan(957);
    const { nearMoney, nearEnough, traded } = narrow.kept;
    const { distance, openInterest, volume } = narrow.dropped;
    expect(nearMoney + nearEnough + traded).toBe(narrow.filtered);
    expect(narrow.filtered + distance + openInterest + volume).toBe(957);
    expect(putCallRatios(narrow.chain).openInterest.value).not.toBeCloseTo(0.852312, 3);
  });

  it("lists our expiries, but for one that a holiday moved after it was listed", () => {
    const listed = records.expiryDates.map((date) => dayOf(nseDate(date)));
    const ours = expiriesBetween("NIFTY", asOf, dayOf("2026-12-31"), asOf);
    const days = new Set(ours.map(({ day }) => day));
    // Bakri Id came to be kept on Thursday 2023-06-29 (NSE, June 2023), and the contract expired the day before.
    expect(listed.filter((day) => !days.has(day)).map(dateOf)).toEqual(["2023-06-29"]);
    expect(days.has(dayOf("2023-06-28"))).toBe(true);
    // Every week for ten weeks ahead is listed.
    const near = ours.filter(({ day }) => day <= dayOf("2022-06-02")).map(({ day }) => day);
    expect(near).toEqual(listed.slice(0, near.length));
    expect(near.length).toBe(10);
  });

  /**
   * The exchange does not say which rate, price and second it takes. With last trades on the spot and time to 15:30
   * a rate of 5 % is nearer than 0 or 10 %, and the middle of our differences is then -0.7 points.
   */
  it("has the exchange's volatilities near the money within about a point", () => {
    const expiry = ensure(expiryOn("NIFTY", nearest.expiry), "it is listed");
    const years = yearsTo(expiry.cutOff, time);
    const smile = smileOf(chain, nearest, { years, rate: 0.05, dividendYield: 0, price: "last" });
    const differences: number[] = [];
    for (let i = 0; i < smile.strike.length; i++) {
      if (Math.abs(smile.strike[i] / chain.spot - 1) > 0.02) continue;
      differences.push(smile.callVolatility[i] - chain.call.volatility[nearest.from + i]);
      differences.push(smile.putVolatility[i] - chain.put.volatility[nearest.from + i]);
    }
    expect(differences.length).toBe(28);
    expect(Math.max(...differences.map(Math.abs))).toBeLessThan(0.0105);
  });

  it("implies a forward between the spot and the spot at 20 % a year", () => {
    const expiry = ensure(expiryOn("NIFTY", nearest.expiry), "it is listed");
    const years = yearsTo(expiry.cutOff, time);
    const held = ensure(
      impliedDividendYield(chain, nearest, { years, rate: 0.05 }).value,
      "there are quotes",
    );
    expect(0.05 - held).toBeGreaterThan(0);
    expect(0.05 - held).toBeLessThan(0.2);
  });
});

interface UpstoxLeg {
  readonly market_data: {
    readonly ltp: number;
    readonly oi: number;
    readonly prev_oi: number;
    readonly volume: number;
  };
  readonly option_greeks: { readonly iv: number; readonly vega: number; readonly delta: number };
}

interface UpstoxRow {
  readonly expiry: string;
  readonly pcr: number;
  readonly strike_price: number;
  readonly underlying_spot_price: number;
  readonly call_options: UpstoxLeg;
  readonly put_options: UpstoxLeg;
}

const upstox = sharedPath("data", "options", "upstox-NIFTY-chain-spot23593.5.json.gz");

describe.skipIf(upstox === null)("Upstox's chain of NIFTY on 2024-06-20", () => {
  const rows: readonly UpstoxRow[] = upstox === null ? [] : JSON.parse(unpacked(upstox)).data;
  const quote = (row: UpstoxRow, right: Right): OptionQuote => {
    const { market_data } = row[`${right}_options`];
    return {
      expiry: dayOf(row.expiry),
      strike: row.strike_price,
      right,
      last: market_data.ltp,
      volume: market_data.volume,
      openInterest: market_data.oi,
      previousOpenInterest: market_data.prev_oi,
    };
  };

  it("expires on its Thursday and has the vendor's put-call ratio at each strike", () => {
    const legs = rows.flatMap((row) => [quote(row, "call"), quote(row, "put")]);
    const { chain, rejected } = collectChain(
      { underlying: "NIFTY", time: 0, spot: rows[0].underlying_spot_price },
      legs,
    );
    expect(rejected).toEqual([]);
    expect(chain.strike.length).toBe(104);
    expect(expiryOn("NIFTY", chain.expiry[0])?.kind).toBe("weekly");
    for (const [row, { strike_price, pcr }] of rows.entries()) {
      const sums = totals(chain, { from: row, to: row + 1 });
      const ratio = (sums.putOpenInterest ?? Number.NaN) / (sums.callOpenInterest ?? Number.NaN);
      expect(chain.strike[row]).toBe(strike_price);
      expect(Math.abs(ratio - pcr), String(strike_price)).toBeLessThan(6e-5);
    }
  });

  /**
   * The vendor does not say when it computed them: 1 h 10 min before expiry its vegas agree best. Its volatilities
   * are given to 0.01 and, for strikes in the money, not those of the prices beside them.
   */
  it("has vegas and deltas that follow from the vendor's volatilities", () => {
    let compared = 0;
    for (const row of rows) {
      for (const right of ["call", "put"] as const) {
        const { iv, vega, delta } = row[`${right}_options`].option_greeks;
        if (iv === 0 || vega < 0.2) continue;
        const terms = {
          right,
          spot: row.underlying_spot_price,
          strike: row.strike_price,
          years: 70 / 525_600,
          rate: 0.1,
          dividendYield: 0,
        };
        const ours = optionGreeks(terms, iv / 100);
        expect(Math.abs(ours.vega / 100 - vega)).toBeLessThan(0.02);
        expect(Math.abs(ours.delta - delta)).toBeLessThan(0.01);
        compared++;
      }
    }
    expect(compared).toBe(38);
  });
});

const lean = (name: string) => sharedPath("data", "options", `lean-${name}.csv.gz`);
const LEAN = ["AAPL-chain-20140605-20140611", "GOOG-chain-20151223-20151224", "NWSA-chain-20130625-20130702"];

describe.skipIf(LEAN.some((name) => lean(name) === null))("LEAN's chains of US stocks", () => {
  it.each(LEAN)("of %s expire on our dates", (name) => {
    const rows = table(ensure(lean(name), "not skipped"));
    for (const date of new Set(rows.map((row) => row.date))) {
      const listed = [...new Set(rows.filter((row) => row.date === date).map((row) => dayOf(row.expiry)))];
      for (const day of listed) {
        expect(expiryOn("US-EQUITY", day, dayOf(date)), `${dateOf(day)} on ${date}`).not.toBeNull();
      }
    }
  });

  /**
   * The file's volatilities do not belong to its prices (2.5, 0.5, 0.4, 0.9, 3.0 at neighbouring strikes of one
   * expiry, the same for call and put), and those of AAPL and NWSA hold a spot or time that the file does not
   * tell; so what is compared is the greeks that follow from a volatility of GOOG. Its conventions show in the
   * rows without time value: r = 1 % (the discount rate of that week), q = 0.1137 %, time to midnight after the
   * day of the snapshot, gamma without the dividend discount, and the close of 2015-12-23 is 750.31.
   */
  it("have our greeks at their volatilities (GOOG)", () => {
    let compared = 0;
    for (const row of table(ensure(lean(LEAN[1]), "not skipped"))) {
      const volatility = Number(row.implied_volatility);
      if (!(volatility > 0.02) || Number(row.vega) < 0.05) continue;
      const days = dayOf(row.expiry) - dayOf(row.date) - 1;
      if (days < 1) continue;
      const spot = row.date === "2015-12-23" ? 750.31 : Number(row.underlying_close);
      const terms = {
        right: rightOf(row.right),
        spot,
        strike: Number(row.strike),
        years: days / 365,
        rate: 0.01,
        dividendYield: 0.001137,
      };
      const ours = optionGreeks(terms, volatility);
      expect(Math.abs(ours.delta - Number(row.delta)), JSON.stringify(row)).toBeLessThan(1e-3);
      expect(Math.abs(ours.vega / 100 / Number(row.vega) - 1), JSON.stringify(row)).toBeLessThan(2e-3);
      expect(Math.abs(ours.thetaPerDay - Number(row.theta)), JSON.stringify(row)).toBeLessThan(2e-3);
      expect(Math.abs(ours.rho / 100 - Number(row.rho)), JSON.stringify(row)).toBeLessThan(1e-2);
      compared++;
    }
    expect(compared).toBeGreaterThan(1_000);
  });

  it("imply volatilities of calls and puts that agree near the money (GOOG)", () => {
    const quotes = table(ensure(lean(LEAN[1]), "not skipped"))
      .filter((row) => row.date === "2015-12-24")
      .map(
        (row): OptionQuote => ({
          expiry: dayOf(row.expiry),
          strike: Number(row.strike),
          right: rightOf(row.right),
          bid: Number(row.close),
          ask: Number(row.close),
        }),
      );
    const time = Date.parse("2015-12-24T13:00:00-05:00");
    const { chain } = collectChain({ underlying: "GOOG", time, spot: 748.4 }, quotes);
    for (const rows of chain.expiries) {
      const expiry = ensure(expiryOn("US-EQUITY", rows.expiry), "it is listed");
      const years = yearsTo(expiry.cutOff, time);
      const smile = smileOf(chain, rows, { years, rate: 0.01, dividendYield: 0, price: "mid" });
      const volatility = ensure(atTheMoneyVolatility(smile).value, dateOf(rows.expiry));
      expect(volatility).toBeGreaterThan(0.12);
      expect(volatility).toBeLessThan(0.35);
    }
  });
});

const tradier = sharedPath("data", "api-fixtures", "tradier", "quotes-2024-equity-and-option-greeks.json");

describe.skipIf(tradier === null)("Tradier's quote of a put on SPY", () => {
  /** The vendor's model, rate and dividends are its own (ORATS): ours are a flat 5 % and 1.3 %. */
  it("has our volatilities of bid, middle and ask within a tenth of a point", () => {
    const { response } = JSON.parse(unpacked(ensure(tradier, "not skipped")));
    const [underlying, put] = response.body.quotes.quote;
    const expiry = ensure(expiryOn("US-EQUITY", dayOf(put.expiration_date)), "a third Friday");
    const years = yearsTo(expiry.cutOff, put.ask_date);
    const spot = 0.5 * (underlying.bid + underlying.ask);
    const terms = {
      right: "put",
      spot,
      strike: put.strike,
      years,
      rate: 0.05,
      dividendYield: 0.013,
    } as const;
    const of = (price: number) => ensure(impliedVolatility(terms, price).volatility, "there is one");
    expect(Math.abs(of(put.bid) - put.greeks.bid_iv)).toBeLessThan(1e-3);
    expect(Math.abs(of(0.5 * (put.bid + put.ask)) - put.greeks.mid_iv)).toBeLessThan(1e-3);
    expect(Math.abs(of(put.ask) - put.greeks.ask_iv)).toBeLessThan(1e-3);
  });
});
