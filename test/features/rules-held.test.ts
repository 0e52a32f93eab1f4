import { describe, expect, it } from "vitest";
import type { StoredRule } from "../../src/features/rules/store.js";
import type { Watching } from "../../src/features/rules/watching.js";
import {
  ALWAYS,
  eventsIn,
  firingsIn,
  openRules,
  RULE_BAR_MS,
  RULES_START,
  ruleDraft,
  useRuleScene,
  walkBars,
} from "../fixtures/rule-desk.js";

const BAR = RULE_BAR_MS;
const START = RULES_START;
const SIGNAL = new AbortController().signal;
const scene = useRuleScene();
const open = () => openRules(scene);
const walk = (watching: Watching, bars: number) => walkBars(scene, watching, bars);
const firings = (rule?: StoredRule) => firingsIn(scene, rule);
const events = () => eventsIn(scene);
const draft = ruleDraft;

describe("rules that are held", () => {
  it("are told together at the time of the digest, once", async () => {
    const { rules, watching, digests } = open();
    const digest = { zone: "UTC", at: "18:00" };
    const terms = { ...ALWAYS.terms, digest };
    await rules.create("ann", draft("close > close[1]", { terms }), ["BTC"]);
    await rules.create("bob", draft("close < close[1]", { terms }), ["BTC", "ETH"]);
    await walk(watching, 30);
    const held = await firings();
    expect(held.length).toBeGreaterThan(10);
    expect(held.some(({ told }) => told)).toBe(false);
    expect(await digests.tell(SIGNAL)).toBe(0);
    expect(await events()).toEqual([]);
    scene.clock.set(Date.parse("2024-07-09T18:00Z"));
    expect(await digests.tell(SIGNAL)).toBe(held.length);
    expect(await digests.tell(SIGNAL)).toBe(0);
    const told = await events();
    expect(told.map(({ topic, kind }) => [topic, kind])).toEqual([
      ["rules:ann", "digest"],
      ["rules:bob", "digest"],
    ]);
    expect((told[0].count ?? 0) + (told[1].count ?? 0)).toBe(held.length);
    expect((await firings()).every(({ told: each }) => each)).toBe(true);
  });

  it("are told by nobody once the rule is deleted", async () => {
    const { rules, watching, digests } = open();
    const quiet = { zone: "UTC", from: "00:00", until: "20:00", policy: "hold" } as const;
    const rule = await rules.create("ann", draft("close > close[1]", { terms: { ...ALWAYS.terms, quiet } }), [
      "BTC",
    ]);
    await walk(watching, 10);
    expect((await firings(rule)).length).toBeGreaterThan(1);
    await rules.delete("ann", rule.id);
    scene.clock.set(Date.parse("2024-07-10T18:00Z"));
    expect(await digests.tell(SIGNAL)).toBe(0);
    expect(await firings()).toEqual([]);
  });
});

describe("rules within bars", () => {
  it("fire at quotes, by their frequency, and look at the close of the bar too", async () => {
    const { rules, watching, instruments, candles } = open();
    const { close } = (await candles.loadLatest(await instruments.resolve("BTC"), "5m", 1)).candles;
    const level = Math.round(close[0] * 2);
    const within = { watch: "intrabar" } as const;
    const often = await rules.create(
      "ann",
      draft(`close > ${level}`, { ...within, terms: { ...ALWAYS.terms, frequency: "every_time" } }),
      ["BTC"],
    );
    const seldom = await rules.create("ann", draft(`close crosses above ${level}`, within), ["BTC"]);
    const high = await rules.create("ann", draft(`high > ${level}`, within), ["BTC"]);
    async function quote(value: number, change: object = {}): Promise<void> {
      scene.clock.advance(20_000);
      scene.price = { price: value, time: scene.clock.now(), ...change };
      await watching.look("intrabar", SIGNAL);
    }
    await quote(level - 1);
    await quote(level + 1);
    await quote(level + 2);
    await quote(level - 1);
    await quote(level + 1, { stale: true });
    await quote(level + 1, { time: scene.clock.now() - 60_000 });
    await quote(level + 3);
    const [one, two, ...others] = await firings(often);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ bar: START, ordinal: 0, price: level + 1, source: "quotes" });
    expect(two).toMatchObject({ bar: START, ordinal: 1, price: level + 3 });
    expect(await firings(seldom)).toMatchObject([{ bar: START, ordinal: 0, price: level + 1 }]);
    expect(await firings(high)).toEqual([]);
    expect((await rules.get("ann", high.id)).states[0].lacks).toEqual(["high"]);
    // The bar closes far below, by which all are armed again.
    scene.price = null;
    scene.clock.set(START + BAR);
    await watching.look("intrabar", SIGNAL);
    expect((await firings(often)).length).toBe(2);
    scene.price = { price: level + 5, time: START + BAR + 10_000 };
    scene.clock.set(START + BAR + 10_000);
    await watching.look("intrabar", SIGNAL);
    expect((await firings(seldom)).map(({ bar }) => bar)).toEqual([START, START + BAR]);
    expect((await events()).length).toBe(5);
  });

  it("go by the closes of bars where there are no quotes, and miss nothing while the server stands still", async () => {
    const { rules, watching } = open();
    const text = "close crosses above sma(5)";
    const closing = await rules.create("ann", draft(text), ["BTC"]);
    const within = await rules.create("ann", draft(text, { watch: "intrabar" }), ["BTC"]);
    for (let i = 0; i < 8; i++) {
      scene.clock.advance(6 * BAR);
      await watching.look("intrabar", SIGNAL);
    }
    await watching.look("close", SIGNAL);
    const bars = (await firings(closing)).map(({ bar }) => bar);
    expect(bars.length).toBeGreaterThan(2);
    expect((await firings(within)).map(({ bar }) => bar)).toEqual(bars);
  });
});
