import { createRng } from "../src/core/base/rng.js";
import type { OptionQuote } from "../src/core/market/option-quote.js";
import { type OptionTerms, optionGreeks, optionPrice } from "../src/core/options/black-scholes.js";
import { collectChain } from "../src/core/options/chain.js";
import { expiriesBetween, yearsTo } from "../src/core/options/expiries.js";
import { filterChain } from "../src/core/options/filter.js";
import { impliedVolatility } from "../src/core/options/implied-volatility.js";
import { volatilityRank } from "../src/core/options/iv-rank.js";
import { maxPain } from "../src/core/options/max-pain.js";
import { openInterestChange, openInterestWalls, putCallRatios } from "../src/core/options/open-interest.js";
import { riskReversal, volatilityRatio } from "../src/core/options/skew.js";
import { atTheMoneyVolatility, type SmileInputs, smileOf, termStructure } from "../src/core/options/smile.js";
import { type Bench, type Figure, timeCases } from "./time.js";

const SPOT = 23_500;
const STRIKES = 100;
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2025, 5, 2, 6);
const SOLVES = 20_000;

/** Twenty expiries of a hundred strikes, priced with a smile and quoted in steps of 0.05. */
function quotesOf(): OptionQuote[] {
  const rng = createRng(31);
  const today = Math.floor(NOW / DAY_MS);
  const expiries = expiriesBetween("NIFTY", today + 1, today + 1_400, today).slice(0, 20);
  return expiries.flatMap(({ day, cutOff }) =>
    Array.from(
      { length: STRIKES },
      (_, i) => 50 * Math.round((SPOT * (0.8 + (0.4 * i) / STRIKES)) / 50),
    ).flatMap((strike) =>
      (["call", "put"] as const).map((right) => {
        const years = yearsTo(cutOff, NOW);
        const volatility = 0.14 + 0.6 * Math.log(strike / SPOT) ** 2;
        const terms = { right, spot: SPOT, strike, years, rate: 0.065, dividendYield: 0.01 };
        const price = Math.max(0.05, Math.round(optionPrice(terms, volatility) * 20) / 20);
        const openInterest = Math.floor(1e5 * rng.next());
        return {
          expiry: day,
          strike,
          right,
          last: price,
          bid: price,
          ask: price + 0.05,
          volume: Math.floor(1e6 * rng.next()),
          openInterest,
          previousOpenInterest: Math.floor(openInterest * rng.next()),
        };
      }),
    ),
  );
}

function chainFigures(): Figure[] {
  const quotes = quotesOf();
  const header = { underlying: "NIFTY", time: NOW, spot: SPOT };
  const { chain } = collectChain(header, quotes);
  const { expiries } = chain;
  const inputs = (expiry: number): SmileInputs => ({
    years: (expiry - NOW / DAY_MS) / 365,
    rate: 0.065,
    dividendYield: 0.01,
    price: "mid",
  });
  const smiles = () => expiries.map((rows) => smileOf(chain, rows, inputs(rows.expiry)));
  const known = smiles();
  const history = Float64Array.from({ length: 252 }, (_, i) => 0.12 + 0.05 * Math.sin(i));
  const cases = {
    "collect 4,000 quotes": () => collectChain(header, quotes),
    filter: () => filterChain(chain),
    "put-call ratios of all expiries": () => putCallRatios(chain),
    "max pain of 20 expiries": () => expiries.map((rows) => maxPain(chain, rows)),
    "open interest walls of 20 expiries": () => expiries.map((rows) => openInterestWalls(chain, rows)),
    "open interest change": () => openInterestChange(chain),
    "smiles of 20 expiries": smiles,
    "skews and term structure": () => [
      termStructure(known),
      known.map((smile) => [riskReversal(smile), volatilityRatio(smile), atTheMoneyVolatility(smile)]),
    ],
    "rank in a year of volatilities": () => volatilityRank(history, 0.15),
  };
  const timed = Object.entries(cases).map(([name, run]) => ({ name, items: 1, run: () => void run() }));
  return timeCases(timed, 30).map(({ name, minNs }) => ({ name, value: minNs / 1_000, unit: "us" }));
}

function solverFigures(): Figure[] {
  const rng = createRng(32);
  const sample = Array.from({ length: SOLVES }, () => {
    const years = 0.003 + 2 * rng.next();
    const volatility = 0.05 + rng.next();
    const strike = SPOT * Math.exp(3 * (2 * rng.next() - 1) * volatility * Math.sqrt(years));
    const right = rng.next() < 0.5 ? "call" : "put";
    const terms: OptionTerms = { right, spot: SPOT, strike, years, rate: 0.05, dividendYield: 0.01 };
    return { terms, volatility, price: optionPrice(terms, volatility) };
  });
  const cases = {
    price: () => sample.forEach(({ terms, volatility }) => void optionPrice(terms, volatility)),
    "price and greeks": () => sample.forEach(({ terms, volatility }) => void optionGreeks(terms, volatility)),
    "implied volatility": () => sample.forEach(({ terms, price }) => void impliedVolatility(terms, price)),
  };
  const timed = Object.entries(cases).map(([name, run]) => ({ name, items: SOLVES, run }));
  return timeCases(timed, 15).map(({ name, minNs }) => ({ name, value: minNs, unit: "ns" }));
}

export const bench: Bench = {
  name: "Options",
  async run() {
    return [
      { title: "A chain of 2,000 rows, 20 expiries", notes: [], figures: chainFigures() },
      { title: "One option", notes: [], figures: solverFigures() },
    ];
  },
};
