import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { testRule } from "../../src/core/rules/test-run.js";
import { readCondition, triggerTerms } from "../../src/features/rules/language.js";
import type { RuleDraft, StoredRule } from "../../src/features/rules/store.js";
import type { Watching, WatchingOptions } from "../../src/features/rules/watching.js";
import { createBus } from "../../src/platform/bus.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { silentLog } from "../fixtures/log.js";
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
const open = (owner?: string, change?: Partial<WatchingOptions>) => openRules(scene, owner, change);
const walk = (watching: Watching, bars: number) => walkBars(scene, watching, bars);
const firings = (rule?: StoredRule) => firingsIn(scene, rule);
const events = () => eventsIn(scene);
const draft = ruleDraft;

/** What a test run says of the bars since the start. */
async function expected(
  { instruments, candles }: ReturnType<typeof open>,
  { condition, rearm, terms }: RuleDraft,
) {
  const set = await candles.loadLatest(await instruments.resolve("BTC"), "5m", 600);
  const { time } = set.candles;
  const closes = time.map((each) => each + BAR);
  const from = time.findIndex((each) => each >= START);
  const rule = { when: condition, rearm, terms: triggerTerms(terms) };
  const run = ensure(testRule(rule, { candles: set.candles }, closes, from), "steps");
  return run.firings.map(({ bar }) => time[bar]);
}

describe("rules by closed bars", () => {
  const wanted = draft("close crosses above sma(5) or rsi(7) < 35", {
    rearm: readCondition("close < sma(5)", "rearm"),
  });

  it("fire as a test run over the same bars says, each with one event", async () => {
    const opened = open();
    const rule = await opened.rules.create("ann", wanted, ["BTC"]);
    await walk(opened.watching, 120);
    const bars = await expected(opened, wanted);
    expect(bars.length).toBeGreaterThan(3);
    const fired = await firings(rule);
    expect(fired.map(({ bar }) => bar)).toEqual(bars);
    expect(fired.every(({ told, ordinal }) => told && ordinal === 0)).toBe(true);
    const told = await events();
    expect(told.map(({ bar }) => Date.parse(bar ?? ""))).toEqual(bars);
    expect(told.every(({ topic, kind }) => topic === "rules:ann" && kind === "fired")).toBe(true);
    expect((await opened.rules.get("ann", rule.id)).states).toMatchObject([
      { symbol: "BTC-USD", seenAt: START + 120 * BAR, firedAt: bars[bars.length - 1] + BAR, lacks: [] },
    ]);
    // Looking again finds nothing.
    expect(await opened.watching.look("close", SIGNAL)).toBe(0);
    expect(await firings(rule)).toEqual(fired);
  });

  it("lose nothing and fire nothing twice by pauses of the server, crashes and other instances", async () => {
    const first = open("first");
    const rule = await first.rules.create("ann", wanted, ["BTC"]);
    let crashes = 0;
    const real = createEventLog(
      scene.database,
      createBus(() => undefined),
      silentLog,
    );
    const crashing = open("first", {
      eventLog: {
        ...real,
        async append(sql, told) {
          await real.append(sql, told);
          if (told.length > 0 && crashes++ % 2 === 0) throw new Error("crash");
        },
      },
    });
    const second = open("second");
    for (let round = 0; round < 12; round++) {
      scene.clock.advance(10 * BAR);
      if (round % 4 === 0) await scene.database.query("delete from leases");
      await Promise.allSettled([crashing.watching.look("close", SIGNAL)]);
      await Promise.allSettled([first, second].map(({ watching }) => watching.look("close", SIGNAL)));
      if (round % 4 === 3) await scene.database.query("delete from leases");
      await second.watching.look("close", SIGNAL);
    }
    await scene.database.query("delete from leases");
    await first.watching.look("close", SIGNAL);
    const bars = await expected(first, wanted);
    expect((await firings(rule)).map(({ bar }) => bar)).toEqual(bars);
    expect((await events()).map(({ bar }) => Date.parse(bar ?? ""))).toEqual(bars);
    expect(crashes).toBeGreaterThan(1);
  });

  it("take a level that holds when they are made for no edge, also after a pause", async () => {
    const { rules, watching } = open();
    const rule = await rules.create("ann", ALWAYS, ["BTC"]);
    await walk(watching, 3);
    expect(await firings()).toEqual([]);
    expect((await rules.get("ann", rule.id)).states).toMatchObject([{ phase: "held" }]);
    await rules.pause("ann", rule.id, true);
    await walk(watching, 3);
    await rules.pause("ann", rule.id, false);
    await walk(watching, 3);
    expect(await firings()).toEqual([]);
  });

  it("stand where they stood when only their name or a symbol changes, and cool down whatever changes", async () => {
    const { rules, watching } = open();
    const terms = { ...ALWAYS.terms, cooldownS: 1_000 * 3_600 };
    const felt = draft("sentiment > 0.5", { terms });
    const rule = await rules.create("ann", felt, ["BTC"]);
    for (const feeling of [0, 1]) {
      scene.feeling = feeling;
      await walk(watching, 1);
    }
    const [before] = (await rules.get("ann", rule.id)).states;
    expect(before).toMatchObject({ phase: "held", firedAt: START + 2 * BAR });
    const renamed = await rules.replace("ann", rule.id, { ...felt, name: "Another" }, ["BTC", "ETH"]);
    expect(renamed.states).toEqual([before, expect.objectContaining({ symbol: "ETH-USD", phase: "new" })]);
    const anew = await rules.replace("ann", rule.id, draft("sentiment > 0.4", { terms }), ["BTC"]);
    expect(anew.states).toEqual([{ ...before, phase: "new", seenAt: null }]);
    for (const feeling of [0, 1]) {
      scene.feeling = feeling;
      await walk(watching, 1);
    }
    expect((await rules.get("ann", rule.id)).states).toMatchObject([{ suppressed: "cooldown" }]);
    expect(await firings()).toHaveLength(1);
  });

  it("that fired once for all are not resumed, and look again with another frequency", async () => {
    const { rules, watching } = open();
    const once = draft("sentiment > 0.5", { terms: { ...ALWAYS.terms, frequency: "once" } });
    const rule = await rules.create("ann", once, ["BTC"]);
    for (const feeling of [0, 1]) {
      scene.feeling = feeling;
      await walk(watching, 1);
    }
    await expect(rules.pause("ann", rule.id, false)).rejects.toMatchObject({ code: "conflict" });
    expect((await rules.replace("ann", rule.id, { ...once, name: "Same" }, ["BTC"])).states).toMatchObject([
      { phase: "done" },
    ]);
    await rules.replace("ann", rule.id, draft("sentiment > 0.5"), ["BTC"]);
    for (const feeling of [0, 1]) {
      scene.feeling = feeling;
      await walk(watching, 1);
    }
    expect(await firings()).toHaveLength(2);
  });

  it("of before a change or a pause write nothing", async () => {
    const { rules, candles } = open();
    const rule = await rules.create("ann", draft("close > 0 and sentiment > 0"), ["BTC"]);
    let meanwhile = async (): Promise<void> => undefined;
    const slow = open("first", {
      candles: {
        async loadLatest(...asked) {
          const found = await candles.loadLatest(...asked);
          await meanwhile();
          return found;
        },
      },
    });
    scene.feeling = -1;
    await walk(slow.watching, 1);
    expect((await rules.get("ann", rule.id)).states).toMatchObject([{ phase: "armed" }]);
    scene.feeling = 1;
    meanwhile = async () => void (await rules.pause("ann", rule.id, true));
    await walk(slow.watching, 1);
    expect(await firings()).toEqual([]);
    meanwhile = async () => undefined;
    await rules.pause("ann", rule.id, false);
    meanwhile = async () => {
      meanwhile = async () => undefined;
      await rules.replace("ann", rule.id, draft("close > 0"), ["BTC"]);
    };
    await walk(slow.watching, 1);
    expect(await firings()).toEqual([]);
    expect((await rules.get("ann", rule.id)).states).toMatchObject([{ phase: "new", seenAt: null }]);
  });

  it("ask what is known beside bars, and name what is not", async () => {
    const { rules, watching } = open();
    const rule = await rules.create("ann", draft("sentiment > 0.5 or score > 0.5"), ["BTC"]);
    await walk(watching, 1);
    expect((await rules.get("ann", rule.id)).states[0]).toMatchObject({
      phase: "new",
      lacks: ["sentiment", "score"],
    });
    await rules.replace("ann", rule.id, draft("sentiment > 0.5"), ["BTC"]);
    for (const [value, count] of [
      [0.1, 0],
      [0.6, 1],
      [0.7, 1],
      [null, 1],
      [0.8, 1],
      [0.2, 1],
      [0.9, 2],
    ] as const) {
      scene.feeling = value;
      await walk(watching, 1);
      expect((await firings()).length, String(value)).toBe(count);
    }
  });

  it("pass over bars of long ago, and go on", async () => {
    const opened = open();
    await opened.rules.create("ann", wanted, ["BTC"]);
    scene.clock.advance(5_000 * BAR);
    await opened.watching.look("close", SIGNAL);
    const oldest = START + 4_400 * BAR;
    const fired = await firings();
    expect(fired.length).toBeGreaterThan(3);
    expect(fired.every(({ bar }) => bar > oldest)).toBe(true);
  });
});
