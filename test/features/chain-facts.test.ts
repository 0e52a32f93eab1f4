import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { calendarOf, sessionsBetween } from "../../src/core/market/session.js";
import { createInstrumentStore } from "../../src/features/instruments/store.js";
import { CHAIN_FACTS_MS, createChainFacts } from "../../src/features/options/chain-facts.js";
import type { Options } from "../../src/features/options/options.js";
import { identifyUnderlying } from "../../src/features/options/underlyings.js";
import { FRIDAYS, useOptionDesk } from "../fixtures/option-desk.js";
import { modelChain } from "../fixtures/options.js";

const at = (text: string) => Date.parse(text);
const desk = useOptionDesk();
const MARKET = { synthetic: false, replay: null };

async function factsOf(interval: "1d" | "5m", times: readonly number[]) {
  const instrument = await createInstrumentStore(desk.database).save(identifyUnderlying("AAPL"), MARKET);
  return createChainFacts(desk).load(instrument, interval, Float64Array.from(times));
}

interface Said {
  readonly time: number;
  readonly volatility?: number;
  /** Open interest of each put, but one at 190 that has twice as much. */
  readonly puts?: number;
  readonly expiries?: readonly number[];
}

async function record(options: Options, { time, volatility = 0.3, puts = 200, expiries = FRIDAYS }: Said) {
  const openInterest = (strike: number, right: "call" | "put") => {
    if (right === "put") return strike === 190 ? 2 * puts : puts;
    return strike === 210 ? 300 : 100;
  };
  const chain = modelChain({ underlying: "AAPL", time, spot: 200, volatility, expiries, openInterest });
  const { quotes } = chain;
  await options.saveRecorded({ symbol: "AAPL", time, spot: 200, source: "book", quotes });
}

/** The strike at which all holders together are paid least, tried one by one. */
function painBy(puts: number): number {
  const strikes = [160, 170, 180, 190, 200, 210, 220, 230, 240];
  const paid = (settled: number) =>
    strikes.reduce((sum, strike) => {
      const calls = Math.max(0, settled - strike) * (strike === 210 ? 300 : 100);
      return sum + calls + Math.max(0, strike - settled) * puts * (strike === 190 ? 2 : 1);
    }, 0);
  return strikes.toSorted((a, b) => paid(a) - paid(b) || a - b)[0];
}

describe("facts of stored chains", () => {
  const days = ["08", "09", "10", "11", "12", "15"].map((day) => at(`2024-07-${day}T13:30Z`));

  it("are those of the newest snapshot that was taken by the close, until it is too old", async () => {
    desk.clock.set(at("2024-08-01T00:00Z"));
    const options = desk.open();
    // At the very close of the first day, and a minute after that of the second.
    await record(options, { time: at("2024-07-08T20:00Z") });
    await record(options, { time: at("2024-07-09T20:01Z"), puts: 50 });
    const facts = await factsOf("1d", days);
    const first = 2_000 / 1_100;
    const second = 500 / 1_100;
    expect([...(facts.put_call_ratio ?? [])]).toEqual([first, first, second, second, second, NaN]);
    expect([...(facts.put_change ?? [])]).toEqual([NaN, NaN, -0.75, -0.75, -0.75, NaN]);
    expect([...(facts.call_change ?? [])]).toEqual([NaN, NaN, 0, 0, 0, NaN]);
    const [early, late] = [painBy(200) / 200, painBy(50) / 200];
    expect(early).not.toBe(late);
    expect([...(facts.max_pain ?? [])]).toEqual([early, early, late, late, late, NaN]);
    expect([...(facts.support ?? [])].slice(0, 5)).toEqual(Array(5).fill(0.95));
    expect([...(facts.resistance ?? [])].slice(0, 5)).toEqual(Array(5).fill(1.05));
    expect([...(facts.iv_rank ?? [])].every(Number.isNaN)).toBe(true);
  });

  it("are the same for fewer bars, and what a plain search finds", async () => {
    desk.clock.set(at("2024-08-01T00:00Z"));
    const options = desk.open();
    const rng = createRng(5);
    const said = Array.from({ length: 24 }, (_, k) => ({
      time: at("2024-07-08T13:00Z") + 60_000 * rng.below(2 * 24 * 60),
      puts: 100 + k,
    }));
    for (const each of said) await record(options, each);
    const times = sessionsBetween(calendarOf("XNYS"), days[0], days[2] + 1).flatMap(({ open }) =>
      Array.from({ length: 78 }, (_, k) => open + k * 300_000),
    );
    const { put_call_ratio: ratio = new Float64Array(0) } = await factsOf("5m", times);
    const expected = times.map((open) => {
      const close = open + 300_000;
      const known = said.filter(({ time }) => time <= close && time > close - CHAIN_FACTS_MS);
      const newest = known.toSorted((a, b) => b.time - a.time)[0];
      return newest === undefined ? Number.NaN : (10 * newest.puts) / 1_100;
    });
    expect([...ratio]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(8);
    for (const count of [1, 50, 130]) {
      const part = await factsOf("5m", times.slice(0, count));
      expect([...(part.put_call_ratio ?? [])]).toEqual(expected.slice(0, count));
    }
  });

  it("rank a volatility in the sessions before, once there are sixty", async () => {
    desk.clock.set(at("2024-08-01T00:00Z"));
    const options = desk.open();
    const sessions = sessionsBetween(calendarOf("XNYS"), at("2024-03-01T00:00Z"), at("2024-06-05T00:00Z"));
    const rng = createRng(8);
    const volatilities = sessions.map(() => 0.2 + 0.3 * rng.next());
    for (const [k, { open, close }] of sessions.entries()) {
      const expiries = [21, 49].map((ahead) => Math.floor(open / 86_400_000) + ahead);
      // One of the morning, which the last of the session overrules for the days after it.
      if (k === 3) await record(options, { time: open + 60_000, volatility: 0.9, expiries });
      await record(options, { time: close, volatility: volatilities[k], expiries });
    }
    const facts = await factsOf(
      "1d",
      sessions.map(({ open }) => open),
    );
    for (const [k, rank] of (facts.iv_rank ?? []).entries()) {
      const seen = volatilities.slice(0, k + 1);
      const [least, most] = [Math.min(...seen), Math.max(...seen)];
      if (k < 60) expect(rank).toBeNaN();
      else expect(rank, `session ${k}`).toBeCloseTo((volatilities[k] - least) / (most - least), 6);
    }
    expect(sessions.length).toBeGreaterThan(64);
  });

  it("are unknown where nothing is stored", async () => {
    const facts = await factsOf("1d", days);
    for (const column of Object.values(facts)) expect([...column].every(Number.isNaN)).toBe(true);
  });
});
