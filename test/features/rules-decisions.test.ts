import { describe, expect, it } from "vitest";
import { TRIGGER_GATES } from "../../src/core/rules/trigger.js";
import { createRuleDecisions } from "../../src/features/rules/decisions.js";
import type { RuleTerms } from "../../src/features/rules/language.js";
import {
  ALWAYS,
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
const FEELS = "sentiment > 0.5";

/** A rule that opinions alone make true, walked through opinions, one a bar. */
async function felt(opinions: readonly (number | null)[], terms: Partial<RuleTerms> = {}) {
  const { rules, watching } = openRules(scene);
  const draft = ruleDraft(FEELS, { terms: { ...ALWAYS.terms, ...terms } });
  const rule = await rules.create("ann", draft, ["BTC"]);
  for (const opinion of opinions) {
    scene.feeling = opinion;
    await walkBars(scene, watching, 1);
  }
  return { rule, watching, decisions: () => createRuleDecisions(scene.database)("ann", {}, 100) };
}

const DROPPED = { zone: "UTC", from: "00:00", until: "23:59", policy: "drop" } as const;

describe("decisions about rules", () => {
  it.each([
    ["condition_known", [0, null], {}],
    ["level_is_new", [1], {}],
    ["not_expired", [0, 0, 1], { expiresAt: START + 3 * BAR }],
    ["cooldown_over", [0, 1, 0, 1], { cooldownS: 1_000 }],
    ["not_quiet", [0, 1], { quiet: DROPPED }],
  ] as const)("name %s where it refuses", async (gate, opinions, terms) => {
    const { rule, decisions } = await felt(opinions, terms);
    const [newest] = await decisions();
    expect(newest).toMatchObject({
      ruleId: rule.id,
      name: FEELS,
      symbol: "BTC-USD",
      interval: "5m",
      accepted: false,
      gate,
      barTime: START + (opinions.length - 1) * BAR,
    });
    expect(newest.verdicts.find(({ passed }) => !passed)?.gate).toBe(gate);
    expect((await firingsIn(scene)).length).toBe(gate === "cooldown_over" ? 1 : 0);
  });

  it("name first_of_bar for a second edge within one", async () => {
    const { rules, watching } = openRules(scene);
    scene.feeling = 0;
    scene.price = { price: 1, time: START + BAR + 1_000 };
    await rules.create("ann", ruleDraft("close > 1000000000", { watch: "intrabar" }), ["BTC"]);
    for (const [second, price] of [
      [1, 1],
      [2, 2e9],
      [3, 1],
      [4, 2e9],
    ]) {
      scene.clock.set(START + BAR + second * 1_000);
      scene.price = { price, time: START + BAR + second * 1_000 };
      await watching.look("intrabar", SIGNAL);
    }
    const decisions = await createRuleDecisions(scene.database)("ann", {}, 100);
    expect(decisions.map(({ gate }) => gate)).toEqual(["first_of_bar", null]);
    expect(decisions[0].verdicts.find(({ passed }) => !passed)).toEqual({
      gate: "first_of_bar",
      passed: false,
      value: 1,
      limit: 0,
    });
  });

  it("have each gate that lets a rule fire, once for each edge", async () => {
    const { decisions, watching } = await felt([0, 1, 1, 1, 0, 0, 1]);
    await watching.look("close", SIGNAL);
    const rows = await decisions();
    expect(rows.map(({ accepted, gate }) => [accepted, gate])).toEqual([
      [true, null],
      [true, null],
    ]);
    expect(rows[0].verdicts.map(({ gate, passed }) => [gate, passed])).toEqual(
      TRIGGER_GATES.map((gate) => [gate, true]),
    );
    expect((await firingsIn(scene)).length).toBe(2);
  });

  it("say once that something is not known, and again when it was known meanwhile", async () => {
    const { decisions } = await felt([null, null, 0, null, null, 0]);
    const unknown = await decisions();
    expect(unknown.map(({ gate, verdicts }) => [gate, verdicts[0].value])).toEqual([
      ["condition_known", "sentiment"],
      ["condition_known", "sentiment"],
    ]);
    expect(unknown.map(({ barTime }) => (barTime - START) / BAR)).toEqual([3, 0]);
  });

  it("are of their owner alone, by what is asked of them", async () => {
    const { rule } = await felt([0, 1, 0, 1], { cooldownS: 1_000 });
    const load = createRuleDecisions(scene.database);
    expect(await load("bob", {}, 100)).toEqual([]);
    const [refused, accepted] = await load("ann", {}, 100);
    for (const [filter, found] of [
      [{ accepted: true }, [accepted]],
      [{ accepted: false }, [refused]],
      [{ rule: "cooldown_over" }, [refused]],
      [{ rule: "not_quiet" }, []],
      [{ symbol: "BTC-USD", interval: "5m", ruleId: rule.id }, [refused, accepted]],
      [{ symbol: "AAPL" }, []],
      [{ interval: "1d" }, []],
      [{ ruleId: "00000000-0000-4000-8000-000000000000" }, []],
      [{ before: refused.id }, [accepted]],
      [{ from: refused.decidedAt + 60_000 }, []],
      [{ to: accepted.decidedAt }, []],
    ] as const) {
      expect(await load("ann", filter, 100), JSON.stringify(filter)).toEqual(found);
    }
    expect(await load("ann", {}, 1)).toEqual([refused]);
  });
});
