import { describe, expect, it } from "vitest";
import { createRuleDecisions } from "../../src/features/rules/decisions.js";
import { AppError } from "../../src/platform/errors.js";
import {
  ALWAYS,
  openRules,
  RULE_BAR_MS,
  RULES_START,
  ruleDraft,
  useRuleScene,
  walkBars,
} from "../fixtures/rule-desk.js";

const scene = useRuleScene();

/** Rules whose source of bars is as told, `null` for one that gives them. */
function troubled() {
  const { candles } = openRules(scene);
  const state = { why: null as (() => AppError) | null, empty: false };
  const opened = openRules(scene, "first", {
    candles: {
      async loadLatest(...asked) {
        if (state.why !== null) throw state.why();
        const found = await candles.loadLatest(...asked);
        const { time } = found.candles;
        return state.empty ? { ...found, candles: { ...found.candles, time: time.slice(0, 0) } } : found;
      },
    },
  });
  return {
    ...opened,
    state,
    decisions: () => createRuleDecisions(scene.database)("ann", { rule: "condition_known" }, 100),
    troubles: async (id: string) => (await opened.rules.get("ann", id)).states.map(({ trouble }) => trouble),
  };
}

describe("a rule whose bars cannot be had", () => {
  it("says so by symbol, and is decided about once, until they can be had again", async () => {
    const { rules, watching, state, decisions, troubles } = troubled();
    const { id } = await rules.create("ann", ALWAYS, ["BTC"]);
    await walkBars(scene, watching, 1);
    expect(await troubles(id)).toEqual([null]);
    let seconds = 30;
    state.why = () => new AppError("provider_unavailable", `No source answers (again in ${--seconds} s)`);
    await walkBars(scene, watching, 3);
    expect(await troubles(id)).toEqual(["No source answers (again in 29 s)"]);
    expect(await decisions()).toMatchObject([
      {
        ruleId: id,
        symbol: "BTC-USD",
        accepted: false,
        gate: "condition_known",
        barTime: RULES_START + 2 * RULE_BAR_MS,
        verdicts: [{ gate: "condition_known", value: "No source answers (again in 29 s)", limit: true }],
      },
    ]);
    state.why = () => new AppError("provider_unavailable", "The source is closed");
    await walkBars(scene, watching, 1);
    expect(await troubles(id)).toEqual(["The source is closed"]);
    state.why = null;
    await walkBars(scene, watching, 1);
    expect(await troubles(id)).toEqual([null]);
    expect(await decisions()).toHaveLength(1);
    state.why = () => new AppError("provider_unavailable", "The source is closed");
    await walkBars(scene, watching, 1);
    expect(await decisions()).toHaveLength(2);
  });

  it("says so where no source has any, and forgets it with what it looks at", async () => {
    const { rules, watching, state, decisions, troubles } = troubled();
    const { id } = await rules.create("ann", ALWAYS, ["BTC", "ETH"]);
    state.empty = true;
    await walkBars(scene, watching, 2);
    const none = (symbol: string) => `No source has 5m bars of ${symbol}`;
    expect(await troubles(id)).toEqual([none("BTC-USD"), none("ETH-USD")]);
    expect((await decisions()).map(({ symbol }) => symbol).sort()).toEqual(["BTC-USD", "ETH-USD"]);
    await rules.replace("ann", id, ruleDraft("close > 1"), ["BTC"]);
    expect(await troubles(id)).toEqual([null]);
  });
});
