import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import {
  DECISION_INPUTS,
  DECISION_OUTPUTS,
  DECISION_RULES,
  decideInto,
} from "../../src/core/synergy/decision.js";
import { resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { FACTS } from "../../src/core/synergy/track.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createDeciding, type DecidingParts } from "../../src/features/pipeline/deciding.js";
import type { Undecided } from "../../src/features/pipeline/found.js";
import type { Look, TradedAccount } from "../../src/features/pipeline/paper-account.js";
import type { TickBar } from "../../src/features/pipeline/store.js";
import { timeLeftMs, within } from "../../src/platform/deadline.js";
import { AppError } from "../../src/platform/errors.js";
import { createRecordedLog, silentLog } from "../fixtures/log.js";

const KNOWN = Date.UTC(2026, 10, 30, 12);
const BAR_MS = 300_000;
const terms = ensure(
  resolveDecisionTerms({ stopWithoutNode: 1.5, mostUnits: 1e6 }).terms,
  "the terms are sound",
);
const INSTRUMENT = { id: 1, symbol: "BTC-USD", calendar: "24x7", assetClass: "crypto" } as KnownInstrument;

/** As an engine finds it at a price of 100 that moves by 1. */
function found(symbol: string, knownAt = KNOWN): Undecided {
  const known = {
    ...{ way: 1, quality: 0.8, entry: 100, range: 1, isWarm: 1, isOpen: 1, isHeld: 0, cost: 0.01 },
    ...{ equity: 100_000, pointValue: 1, rate: 1 },
  };
  const inputs = Float64Array.from(
    DECISION_INPUTS,
    (name) => known[name as keyof typeof known] ?? Number.NaN,
  );
  const outputs = new Float64Array(DECISION_OUTPUTS.length);
  const refusal = decideInto(inputs, terms, outputs);
  return {
    ...{ symbol, terms, currency: "USD" },
    found: {
      ...{ symbol: 0, type: "type_1", way: 1, begunAt: knownAt - BAR_MS, knownAt, quality: 0.8, legs: [] },
      ...{ refusedBy: refusal === 0 ? null : DECISION_RULES[refusal - 1].name, inputs, outputs },
      facts: new Float64Array(FACTS).fill(Number.NaN),
    },
  };
}

const barOf = (symbol: string, knownAt = KNOWN): TickBar => ({
  ...{ symbol, interval: "5m", time: knownAt - BAR_MS, open: 100, high: 101, low: 99, close: 100, volume: 1 },
  ...{ count: 1, vwap: 100, pressure: 0, slot: 0 },
});

const accountOf = (look: (symbol: string) => Promise<Look>): TradedAccount => ({
  id: "0b7c6a52-3f4e-4d2a-9a51-6e8f00c1d2e3",
  look,
  open: () => Promise.reject(new Error("nothing is placed here")),
});
const EMPTY = { why: null, equity: 40_000, positions: 0, isHeld: false } as const;
const free = accountOf(async () => EMPTY);
const never = () => new Promise<never>(() => undefined);

const decidingOf = (parts: Partial<DecidingParts>) =>
  createDeciding({
    instrumentOf: async () => INSTRUMENT,
    listBars: async () => [],
    interval: "5m",
    askModel: async () => ({ score: null, reason: "no model has been promoted for crypto 5m" }),
    account: free,
    mostOrderAgeMs: BAR_MS,
    now: () => KNOWN + 1_000,
    log: silentLog,
    ...parts,
  });

describe("what does not answer", () => {
  it("is waited for once in a turn, and no longer than is said", async () => {
    let asked = 0;
    const account = accountOf(() => {
      asked++;
      return never();
    });
    const deciding = decidingOf({ account, patienceMs: 30 });
    const decided = await deciding(
      [found("BTC-USD"), found("ETH-USD")],
      [barOf("BTC-USD"), barOf("ETH-USD")],
    );
    expect(asked).toBe(1);
    for (const { synergy } of decided) {
      expect(synergy.decision).toMatchObject({
        refusedBy: null,
        account: { why: "the account could not be asked: no answer came within 0.03 s" },
      });
      expect(synergy.context.equity).toBe(100_000);
    }
  });

  it("leaves a decision without a score, which says so", async () => {
    const deciding = decidingOf({ askModel: never, patienceMs: 30 });
    const [{ synergy, snapshot }] = await deciding([found("BTC-USD")], [barOf("BTC-USD")]);
    expect(snapshot).toBeNull();
    expect(synergy.decision.model).toEqual({
      ...{ score: null, version: null },
      why: "a model could not be asked: no answer came within 0.03 s",
    });
    // The account is another one to wait for.
    expect(synergy.decision.account?.why).toBeNull();
  });

  it("has a time of its own, not what is left to the request that brought the ticks", async () => {
    const left: number[] = [];
    const account = accountOf(async () => {
      left.push(timeLeftMs());
      return EMPTY;
    });
    const deciding = decidingOf({ account, patienceMs: 5_000 });
    await within(-1_000, () => deciding([found("BTC-USD")], [barOf("BTC-USD")]));
    expect(left[0]).toBeGreaterThan(4_000);
  });

  it("fails without a word of why, which the log has, and stores are waited for", async () => {
    const broken = accountOf(() => Promise.reject(new Error("select secret from somewhere")));
    const { log, lines } = createRecordedLog();
    const [{ synergy }] = await decidingOf({ account: broken, log })([found("BTC-USD")], [barOf("BTC-USD")]);
    expect(synergy.decision.account?.why).toBe("the account could not be asked: the server failed");
    expect(lines().join()).toContain("select secret");

    const down = accountOf(() => Promise.reject(new AppError("database_unavailable", "It does not answer")));
    const asking = decidingOf({ account: down })([found("BTC-USD")], [barOf("BTC-USD")]);
    await expect(asking).rejects.toMatchObject({ code: "database_unavailable" });
  });
});

describe("decisions of one turn", () => {
  it("count those before them that will be held, and say why a second one of a symbol is refused", async () => {
    const bars = [barOf("BTC-USD"), barOf("ETH-USD")];
    const decided = await decidingOf({})([found("BTC-USD"), found("BTC-USD"), found("ETH-USD")], bars);
    expect(decided.map(({ synergy }) => synergy.decision.refusedBy)).toEqual([null, "position_limit", null]);
    expect(decided[1].synergy.decision.rules.at(-1)).toEqual({
      ...{ rule: "position_limit", passed: false, value: 1, limit: 3 },
      why: "the symbol is held already, or an order for it is at work or waits",
    });
  });

  it("of a recording hold nothing, and are not sized by what the account has today", async () => {
    let asked = 0;
    const account = accountOf(async () => {
      asked++;
      return EMPTY;
    });
    const old = KNOWN - 86_400_000;
    const bars = [barOf("BTC-USD", old), barOf("BTC-USD", old + BAR_MS)];
    const decided = await decidingOf({ account })(
      [found("BTC-USD", old), found("BTC-USD", old + BAR_MS)],
      bars,
    );
    expect(asked).toBe(0);
    for (const { synergy } of decided) {
      expect(synergy.decision.refusedBy).toBeNull();
      expect(synergy.decision.account?.why).toMatch(/^too_late: /);
      expect(synergy.decision.model).toMatchObject({
        score: null,
        why: expect.stringMatching(/^it was decided long after/),
      });
      expect(synergy.context).toMatchObject({ equity: 100_000, open_positions: null });
    }
  });

  it("show a model no bar beyond their closes", async () => {
    const seen: number[] = [];
    const deciding = decidingOf({
      async askModel(_instrument, candles) {
        seen.push(...candles.time);
        return { score: null, reason: "none" };
      },
    });
    const bars = [barOf("BTC-USD"), barOf("BTC-USD", KNOWN + BAR_MS), barOf("ETH-USD", KNOWN - BAR_MS)];
    await deciding([found("BTC-USD")], bars);
    expect(seen).toEqual([KNOWN - BAR_MS]);
  });
});
