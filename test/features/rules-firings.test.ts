import { describe, expect, it } from "vitest";
import { createRuleDecisions } from "../../src/features/rules/decisions.js";
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
const HOUR = 12 * BAR;
const SIGNAL = new AbortController().signal;
const scene = useRuleScene();

const accepted = async () =>
  (await createRuleDecisions(scene.database)("ann", { accepted: true }, 100)).length;

describe("a firing", () => {
  it("is told again in the same bar by a symbol that was taken out and put back", async () => {
    const { rules, watching } = openRules(scene);
    const draft = ruleDraft("close > 1000000000", { watch: "intrabar" });
    const quoted = async (second: number, price: number) => {
      scene.clock.set(START + BAR + second * 1_000);
      scene.price = { price, time: START + BAR + second * 1_000 };
      await watching.look("intrabar", SIGNAL);
    };
    scene.price = { price: 1, time: START + BAR + 1_000 };
    const { id } = await rules.create("ann", draft, ["BTC", "ETH"]);
    await quoted(1, 1);
    await quoted(2, 2e9);
    await rules.replace("ann", id, draft, ["ETH"]);
    await rules.replace("ann", id, draft, ["BTC", "ETH"]);
    await quoted(4, 1);
    await quoted(5, 2e9);
    const told = (await eventsIn(scene)).length;
    // BTC and ETH at the first edge; at the second BTC alone, as ETH has fired in this bar.
    expect([told, (await firingsIn(scene)).length, await accepted()]).toEqual([3, 3, 3]);
  });

  it("of another interval is told, though its bar opens when one before it did", async () => {
    const { rules, watching } = openRules(scene);
    const draft = ruleDraft("sentiment > 0.5", { terms: { ...ALWAYS.terms, frequency: "every_time" } });
    const { id } = await rules.create("ann", draft, ["BTC"]);
    const felt = async (feeling: number, bars: number) => {
      scene.feeling = feeling;
      await walkBars(scene, watching, bars);
    };
    await felt(0, 12);
    await felt(1, 1);
    await felt(0, 1);
    await felt(1, 1);
    expect((await firingsIn(scene)).map(({ bar }) => bar)).toEqual([START + HOUR, START + HOUR + 2 * BAR]);
    await rules.replace("ann", id, { ...draft, interval: "1h" }, ["BTC"]);
    await felt(0, 1);
    await felt(1, 8);
    const fired = await firingsIn(scene);
    expect(fired.map(({ bar }) => bar)).toEqual([START + HOUR, START + HOUR + 2 * BAR, START + HOUR]);
    expect([(await eventsIn(scene)).length, await accepted()]).toEqual([3, 3]);
  });
});

describe("a bar that has fired", () => {
  it("of one interval counts for none of another that opens with it", async () => {
    const { rules, watching } = openRules(scene);
    const draft = ruleDraft("sentiment > 0.5");
    const { id } = await rules.create("ann", draft, ["BTC"]);
    for (const [feeling, bars] of [
      [0, 12],
      [1, 1],
    ]) {
      scene.feeling = feeling;
      await walkBars(scene, watching, bars);
    }
    await rules.replace("ann", id, { ...draft, interval: "1h" }, ["BTC"]);
    for (const [feeling, bars] of [
      [0, 1],
      [1, 10],
    ]) {
      scene.feeling = feeling;
      await walkBars(scene, watching, bars);
    }
    expect((await firingsIn(scene)).map(({ bar }) => bar)).toEqual([START + HOUR, START + HOUR]);
  });
});
