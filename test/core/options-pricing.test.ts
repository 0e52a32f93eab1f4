import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Right } from "../../src/core/market/option-quote.js";
import { blackPrice, blackShortfall } from "../../src/core/options/black.js";
import { blackInverse } from "../../src/core/options/black-inverse.js";
import { type OptionTerms, optionGreeks, optionPrice } from "../../src/core/options/black-scholes.js";
import { impliedVolatility, MAX_UNCERTAINTY } from "../../src/core/options/implied-volatility.js";
import { cdfOverDensity, normalCdf, normalDensity } from "../../src/core/options/normal.js";

/** Computed with mpmath 1.4.1 at 60 digits from erfc(-x / sqrt 2) / 2. */
const CDF: readonly (readonly [number, number])[] = [
  [-37, 5.725571222524577e-300],
  [-30, 4.906713927148187e-198],
  [-20, 2.7536241186062337e-89],
  [-10, 7.619853024160525e-24],
  [-5, 2.866515718791939e-7],
  [-2, 0.02275013194817921],
  [-1, 0.15865525393145705],
  [-0.5, 0.3085375387259869],
  [0.25, 0.5987063256829237],
  [0.66, 0.7453730853286639],
  [1.5, 0.9331927987311419],
  [3, 0.9986501019683699],
  [6, 0.9999999990134123],
];

const NAMES = ["price", "delta", "gamma", "vega", "theta", "rho", "dividendRho"] as const;

/**
 * right, spot, strike, years, rate, dividend yield, volatility; below them price, delta, gamma, vega, theta, rho and
 * dividend rho, computed with mpmath 1.4.1 at 60 digits from the closed forms.
 */
const CASES = `
  call 100.0 100.0 0.5 0.05 0.0 0.2
    6.888728577680618 0.5977344689084383 0.027358658565220982 27.358658565220985 -8.115967628702357 26.442359156581603 -29.88672344542191
  put 100.0 100.0 0.5 0.05 0.0 0.2
    4.419719780513884 -0.40226553109156177 0.027358658565220982 27.358658565220985 -3.239418068560694 -22.32313644483503 20.11327655457809
  call 100.0 150.0 0.1 0.03 0.01 0.25
    2.9491846054812526e-07 2.0512743276971984e-07 1.361786807641654e-07 3.404467019104136e-05 -4.295724505052469e-05 2.021782481642386e-06 -2.0512743276971986e-06
  put 100.0 50.0 0.25 0.03 0.01 0.2
    1.4151856176802685e-12 -1.0192794453568758e-12 7.306648639988928e-13 3.653324319994464e-10 -1.440519583405344e-10 -2.583578253834196e-11 2.5481986133921893e-11
  call 23593.5 23600.0 0.0001 0.07 0.0 0.28
    23.312035364827555 0.46236426575201583 0.006012032765078597 93.70529087343856 -131949.39077161986 1.0885479268655358 -1.0908791304020187
  put 23593.5 20150.0 0.002 0.07 0.0 2.5
    86.87912759052504 -0.07101619444380959 5.146790894515705e-05 143.24889193074725 -89407.189476933 -3.5247994224010935 3.351041167220043
  call 100.0 300.0 1.0 0.0 0.0 0.1
    3.4529165077419025e-28 3.8720633034677074e-28 4.269373440976296e-28 4.269373440976297e-25 -2.1346867204881484e-26 3.8375341383902884e-26 -3.8720633034677077e-26
  put 420.0 100.0 2.0 0.04 0.02 0.35
    0.03813411333945072 -0.0005996759827628794 1.0082877350271729e-05 1.245033695211553 -0.10237780554222467 -0.5799960521997202 0.5037278255208187
  call 50.0 40.0 5.0 -0.01 0.03 0.6
    21.667206996704483 0.6492284385901624 0.00403973803805754 30.29803528543155 -0.7360973099126128 53.97107466401819 -162.3071096475406
  put 1.08 1.1 0.75 0.02 0.03 0.08
    0.04542181013366362 -0.6184192507180944 4.922875463893237 0.34452251646510434 -0.02414502591655438 -0.5349859506819042 0.5009195930816565
  call 100.0 101.0 1e-05 0.0 0.0 0.5
    3.750593918922015e-12 1.5634648752050573e-10 6.372074388282131e-09 3.1860371941410657e-10 -7.965092985352664e-06 1.5630898158131652e-13 -1.5634648752050574e-13
  put 100.0 90.0 10.0 0.05 0.0 1.5
    53.28799675875725 -0.006221428828608089 3.7014892834317385e-05 5.552233925147608 2.2790894376948327 -539.1013964161806 6.221428828608089
`
  .trim()
  .split(/\n(?= {2}\S)/)
  .map((text) => {
    const [right, ...numbers] = text.trim().split(/\s+/);
    const [spot, strike, years, rate, dividendYield, volatility, ...expected] = numbers.map(Number);
    const terms = {
      right: right === "call" ? "call" : "put",
      spot,
      strike,
      years,
      rate,
      dividendYield,
    } as const;
    return { ...terms, terms, volatility, expected };
  });

const relative = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);

/** Spread evenly, which fc.double is not: it is even over the bits of a double. */
const uniform = (min: number, max: number) =>
  fc.integer({ min: 0, max: 1e9 }).map((i) => min + ((max - min) * i) / 1e9);

/** Terms as listed options have them, from minutes to years and far from the money on both sides. */
const terms: fc.Arbitrary<OptionTerms> = fc
  .record({
    right: fc.constantFrom<Right>("call", "put"),
    spot: uniform(1, 1e5),
    strike: uniform(-1.5, 1.5),
    years: uniform(Math.log(2e-6), Math.log(10)).map(Math.exp),
    rate: uniform(-0.02, 0.15),
    dividendYield: uniform(0, 0.1),
  })
  .map((row) => ({ ...row, strike: row.spot * Math.exp(row.strike) }));
const volatility = uniform(Math.log(0.005), Math.log(6)).map(Math.exp);

describe("the normal distribution", () => {
  it.each(CDF)("below %f is known to 1e-14 of itself", (x, expected) => {
    expect(relative(normalCdf(x), expected)).toBeLessThan(1e-14);
  });

  it("is symmetric, rises, and ends at 0 and 1", () => {
    fc.assert(
      fc.property(uniform(-9, 9), uniform(0, 1), (x, by) => {
        expect(Math.abs(normalCdf(x) + normalCdf(-x) - 1)).toBeLessThan(3e-16);
        expect(normalCdf(x + by)).toBeGreaterThanOrEqual(normalCdf(x));
        expect(relative(cdfOverDensity(x), normalCdf(x) / normalDensity(x))).toBeLessThan(1e-13);
      }),
    );
    expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
    expect(normalCdf(Number.NaN)).toBeNaN();
  });
});

describe("Black-Scholes", () => {
  it.each(CASES)(
    "$right on $spot struck at $strike in $years years",
    ({ terms: option, volatility: v, expected }) => {
      const greeks = optionGreeks(option, v);
      expect(expected.length).toBe(NAMES.length);
      for (const [i, name] of NAMES.entries()) {
        expect(relative(greeks[name], expected[i]), name).toBeLessThan(name === "theta" ? 1e-10 : 1e-12);
      }
      expect(greeks.thetaPerDay).toBe(greeks.theta / 365);
    },
  );

  it("holds put-call parity and the bounds of no arbitrage, and rises with volatility", () => {
    fc.assert(
      fc.property(terms, volatility, uniform(1, 2), (option, v, more) => {
        const { spot, strike, years, rate, dividendYield } = option;
        const forward = spot * Math.exp(-dividendYield * years);
        const present = strike * Math.exp(-rate * years);
        const rounding = 1e-14 * (forward + present);
        const call = optionPrice({ ...option, right: "call" }, v);
        const put = optionPrice({ ...option, right: "put" }, v);
        expect(Math.abs(call - put - (forward - present))).toBeLessThanOrEqual(rounding);
        expect(call).toBeGreaterThanOrEqual(Math.max(0, forward - present));
        expect(put).toBeGreaterThanOrEqual(Math.max(0, present - forward));
        expect(call).toBeLessThanOrEqual(forward + rounding);
        expect(put).toBeLessThanOrEqual(present + rounding);
        const dearer = optionPrice(option, v * more);
        expect(dearer).toBeGreaterThanOrEqual(optionPrice(option, v) * (1 - 1e-12) - rounding);
      }),
      { numRuns: 500, endOnFailure: true },
    );
  });

  it("falls in strike for calls, rises for puts, and is convex", () => {
    fc.assert(
      fc.property(terms, volatility, (option, v) => {
        const at = (share: number) => optionPrice({ ...option, strike: option.strike * share }, v);
        const [low, middle, high] = [at(0.99), at(1), at(1.01)];
        const rounding = 1e-13 * (option.spot + option.strike);
        const sign = option.right === "call" ? 1 : -1;
        expect(sign * (low - middle)).toBeGreaterThanOrEqual(-rounding);
        expect(sign * (middle - high)).toBeGreaterThanOrEqual(-rounding);
        expect(low + high - 2 * middle).toBeGreaterThanOrEqual(-4 * rounding);
      }),
      { numRuns: 500, endOnFailure: true },
    );
  });

  it("has greeks that are the differences of its price", () => {
    const option: OptionTerms = {
      right: "put",
      spot: 95,
      strike: 100,
      years: 0.4,
      rate: 0.05,
      dividendYield: 0.02,
    };
    const greeks = optionGreeks(option, 0.3);
    const slope = (change: (h: number) => number) => (change(1e-4) - change(-1e-4)) / 2e-4;
    expect(slope((h) => optionPrice({ ...option, spot: 95 + h }, 0.3))).toBeCloseTo(greeks.delta, 7);
    expect(slope((h) => optionGreeks({ ...option, spot: 95 + h }, 0.3).delta)).toBeCloseTo(greeks.gamma, 7);
    expect(slope((h) => optionPrice(option, 0.3 + h))).toBeCloseTo(greeks.vega, 5);
    expect(slope((h) => optionPrice({ ...option, years: 0.4 - h }, 0.3))).toBeCloseTo(greeks.theta, 5);
    expect(slope((h) => optionPrice({ ...option, rate: 0.05 + h }, 0.3))).toBeCloseTo(greeks.rho, 5);
    expect(slope((h) => optionPrice({ ...option, dividendYield: 0.02 + h }, 0.3))).toBeCloseTo(
      greeks.dividendRho,
      5,
    );
  });

  it("is its intrinsic value at expiry, where at the money there are no greeks", () => {
    const expired = {
      right: "call",
      spot: 110,
      strike: 100,
      years: 0,
      rate: 0.05,
      dividendYield: 0,
    } as const;
    expect(optionGreeks(expired, 0.2)).toMatchObject({ price: 10, delta: 1, gamma: 0, vega: 0 });
    expect(optionGreeks({ ...expired, right: "put" }, 0.2)).toMatchObject({ price: 0, gamma: 0, vega: 0 });
    expect(optionGreeks({ ...expired, spot: 100 }, 0.2).delta).toBeNaN();
  });

  it("joins its branches without a step", () => {
    for (const h of [0, -0.3, -1, -3, -6, -9.7, -9.99, -10.01, -14]) {
      for (const share of [0.02, 0.0499, 0.0501, 0.3]) {
        const t = share * (1 - h);
        const s = 2 * t;
        const x = h * s;
        const price = blackPrice(x, s);
        const next = blackPrice(x, s * (1 + 1e-9));
        expect(next).toBeGreaterThan(price);
        expect(Math.exp(0.5 * x) - blackShortfall(x, s)).toBeCloseTo(price, 14);
      }
    }
  });
});

describe("implied volatility", () => {
  it("comes back from every price in which a double can hold it, and says why where it can't", () => {
    let found = 0;
    let lost = 0;
    fc.assert(
      fc.property(terms, volatility, (option, v) => {
        const price = optionPrice(option, v);
        const implied = impliedVolatility(option, price);
        const { delta, rho, vega } = optionGreeks(option, v);
        if (implied.volatility !== null) {
          found++;
          expect(Math.abs(implied.volatility - v)).toBeLessThan(1e-6 + 8 * implied.uncertainty);
          expect(implied.uncertainty).toBeLessThanOrEqual(MAX_UNCERTAINTY);
          expect(implied.evaluations).toBeLessThanOrEqual(6);
          return;
        }
        lost++;
        expect(["no time value", "not identifiable", "above upper bound"]).toContain(implied.reason);
        if (price < 1e-280 * option.spot) return;
        // A millionth of volatility moves the price by less than a few roundings of its two terms.
        const parts = price + Math.abs(delta) * option.spot + Math.abs(rho) / option.years;
        const rounding = Number.EPSILON * parts;
        expect(vega * 1e-6).toBeLessThan(8 * rounding);
      }),
      { numRuns: 3_000, endOnFailure: true },
    );
    expect(found).toBeGreaterThan(600);
    expect(lost).toBeGreaterThan(600);
  });

  it("is found in at most six evaluations wherever a normalised price is a normal double", () => {
    fc.assert(
      fc.property(uniform(-9, 1.5), uniform(-7, 1.2), (logDistance, logS) => {
        const x = -(10 ** logDistance);
        const s = 10 ** logS;
        const price = blackPrice(x, s);
        const bound = Math.exp(0.5 * x);
        fc.pre(price > 1e-300 && blackShortfall(x, s) > 1e-6 * bound);
        const found = blackInverse(x, price);
        expect(relative(found.s, s)).toBeLessThan(1e-8);
        expect(found.evaluations).toBeLessThanOrEqual(6);
      }),
      { numRuns: 3_000, endOnFailure: true },
    );
  });

  it("is found one minute before expiry and four volatilities out", () => {
    const option = {
      right: "call",
      spot: 23_593.5,
      strike: 24_000,
      years: 1 / 525_600,
      rate: 0.07,
      dividendYield: 0,
    } as const;
    for (const v of [0.9, 2, 5]) {
      expect(impliedVolatility(option, optionPrice(option, v)).volatility).toBeCloseTo(v, 9);
    }
  });

  const listed = {
    right: "call",
    spot: 100,
    strike: 80,
    years: 0.5,
    rate: 0.04,
    dividendYield: 0.01,
  } as const;
  it.each([
    ["below intrinsic value", listed, 19],
    ["below intrinsic value", { ...listed, strike: 120 }, -0.01],
    ["above upper bound", listed, 100],
    ["above upper bound", { ...listed, right: "put" as const }, 79],
    ["no time value", { ...listed, strike: 120 }, 0],
    ["no time value", { ...listed, rate: 0, dividendYield: 0 }, 20],
    ["not identifiable", { ...listed, rate: 0, dividendYield: 0, strike: 20 }, 80.00000000000001],
    ["no time left", { ...listed, years: 0 }, 20],
    ["no time left", { ...listed, years: -0.1 }, 20],
    ["invalid input", { ...listed, spot: Number.NaN }, 20],
    ["invalid input", { ...listed, strike: 0 }, 20],
    ["invalid input", listed, Number.POSITIVE_INFINITY],
  ])("is none for a price that is %s", (reason, option, price) => {
    expect(impliedVolatility(option, price)).toEqual({ volatility: null, reason });
  });
});
