import type { Interval } from "../../core/market/interval.js";
import type { AccountFacts } from "../../core/risk/limits.js";
import { type Condition, nodesOf, type RuleFact } from "../../core/rules/condition.js";
import { variantsOf } from "../../core/rules/patterns.js";
import { AppError } from "../../platform/errors.js";
import type { EvaluatedRule } from "./evaluate-worker.js";

interface Measured {
  readonly available: true;
  readonly score: number;
}

/** Who is asked for what is known beside bars. */
export interface FactSources {
  readonly sentiment: {
    measure(symbol: string): Promise<{ readonly aggregate: Measured | { readonly available: false } }>;
  };
  /** What the active model says of the newest pattern. @throws {AppError} where there is none. */
  readonly scoreOf: (symbol: string, interval: Interval) => Promise<number>;
  /** Null for a user without an account. */
  readonly accountOf: (
    userId: string,
    symbol: string,
  ) => Promise<Pick<AccountFacts, "equity" | "openPositions" | "dayLoss" | "drawdown"> | null>;
  readonly positionsOf: (
    userId: string,
    symbol: string,
  ) => Promise<readonly { readonly direction: 1 | -1; readonly quantity: number }[]>;
  /** Measured hit rate of a variant in any regime; null where there is none. */
  readonly confidenceOf: (
    variant: string,
    interval: Interval,
    regime: null,
  ) => { readonly value: number | null };
}

/** What a rule of a user asks for, of one symbol and interval. */
export interface FactQuestion {
  readonly userId: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly conditions: readonly Condition[];
}

export type KnownFacts = Pick<EvaluatedRule, "facts" | "confidences">;

/** Looks up what rules ask for now, and only that; what cannot be told is unknown. */
export function createFactReader(sources: FactSources): (question: FactQuestion) => Promise<KnownFacts> {
  const { sentiment, scoreOf, accountOf, positionsOf, confidenceOf } = sources;

  const lookUp: Readonly<Record<RuleFact, (question: FactQuestion) => Promise<number | null>>> = {
    score: ({ symbol, interval }) => scoreOf(symbol, interval),
    sentiment: async ({ symbol }) => {
      const { aggregate } = await sentiment.measure(symbol);
      return aggregate.available ? aggregate.score : null;
    },
    "portfolio.equity": async ({ userId, symbol }) => (await accountOf(userId, symbol))?.equity ?? null,
    "portfolio.position": async ({ userId, symbol }) => {
      if ((await accountOf(userId, symbol)) === null) return null;
      const held = await positionsOf(userId, symbol);
      return held.reduce((sum, { direction, quantity }) => sum + direction * Math.abs(quantity), 0);
    },
    "portfolio.open_positions": async ({ userId, symbol }) =>
      (await accountOf(userId, symbol))?.openPositions ?? null,
    "portfolio.day_loss": async ({ userId, symbol }) => (await accountOf(userId, symbol))?.dayLoss ?? null,
    "portfolio.drawdown": async ({ userId, symbol }) => (await accountOf(userId, symbol))?.drawdown ?? null,
  };

  async function known(name: RuleFact, question: FactQuestion): Promise<number | null> {
    try {
      return await lookUp[name](question);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return null;
    }
  }

  return async (question) => {
    const facts: Partial<Record<RuleFact, number | null>> = {};
    const confidences: Record<string, number | null> = {};
    for (const node of question.conditions.flatMap((each) => nodesOf(each))) {
      if (node.kind === "fact" && !Object.hasOwn(facts, node.name)) {
        facts[node.name] = await known(node.name, question);
      }
      if (node.kind !== "pattern" || node.confidence === null) continue;
      for (const { id } of variantsOf(node)) {
        confidences[id] = confidenceOf(id, question.interval, null).value;
      }
    }
    return { facts, confidences };
  };
}
