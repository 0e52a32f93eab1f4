import type { Interval } from "../../core/market/interval.js";
import { leadOf, STEP_BUDGET, stepsPerBar } from "../../core/rules/evaluate.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import {
  type FiringPlace,
  MOST_RULES,
  type RuleDraft,
  type RuleStore,
  type StoredFiring,
  type StoredRule,
} from "./store.js";

/** Symbols of a rule at most. */
export const MOST_SYMBOLS = 50;
/** Bars after a pause of the server that are caught up with; older ones are passed over. */
export const CATCH_UP_BARS = 500;

/**
 * Rules of users, each by its owner alone.
 * @throws {AppError} `rule_not_found`, also for another's; `conflict` for more than may be; `invalid_request` for one that takes too
 * many steps; `interval_unavailable`, and as `Instruments.resolve` for symbols that are none.
 */
export interface Rules {
  /** The newest first. */
  list(userId: string): Promise<StoredRule[]>;
  get(userId: string, id: string): Promise<StoredRule>;
  /** Looks from now on: a level that holds already is no edge. @param symbols in any spelling. */
  create(userId: string, draft: RuleDraft, symbols: readonly string[]): Promise<StoredRule>;
  /** Takes the place of a rule, which begins anew where it looks at something else. */
  replace(userId: string, id: string, draft: RuleDraft, symbols: readonly string[]): Promise<StoredRule>;
  /** What happens while it is paused is not told. */
  pause(userId: string, id: string, paused: boolean): Promise<StoredRule>;
  delete(userId: string, id: string): Promise<void>;
  /** The newest first, of one rule or of all. */
  firings(
    userId: string,
    filter: { readonly ruleId: string | null; readonly before: FiringPlace | null; readonly limit: number },
  ): Promise<StoredFiring[]>;
}

export function createRules(options: {
  readonly store: RuleStore;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly gateway: Pick<Gateway, "intervals" | "marketNowMs">;
}): Rules {
  const { store, instruments, gateway } = options;

  /** Rows of the instruments, each once. */
  async function known(symbols: readonly string[], interval: Interval): Promise<number[]> {
    const found = new Map<number, KnownInstrument>();
    for (const text of symbols) {
      const instrument = await instruments.resolve(text);
      if (!gateway.intervals(instrument).includes(interval)) {
        throw new AppError("interval_unavailable", `No source has ${interval} bars of ${instrument.symbol}`);
      }
      found.set(instrument.id, instrument);
    }
    return [...found.keys()];
  }

  async function get(userId: string, id: string): Promise<StoredRule> {
    const rule = await store.find(userId, id);
    if (rule === null) throw missing();
    return rule;
  }

  return {
    list: store.list,
    get,
    async create(userId, draft, symbols) {
      requireCheap(draft);
      requireEndToCome(draft, gateway.marketNowMs());
      const ids = await known(symbols, draft.interval);
      const id = await store.create(userId, draft, ids, gateway.marketNowMs());
      if (id === null) throw new AppError("conflict", `There may be at most ${MOST_RULES} rules`);
      return get(userId, id);
    },
    async replace(userId, id, draft, symbols) {
      requireCheap(draft);
      requireEndToCome(draft, gateway.marketNowMs());
      await get(userId, id);
      const ids = await known(symbols, draft.interval);
      if (!(await store.replace(userId, id, draft, ids, gateway.marketNowMs()))) throw missing();
      return get(userId, id);
    },
    async pause(userId, id, paused) {
      const rule = await get(userId, id);
      if (hasEnded(rule, gateway.marketNowMs())) {
        throw new AppError("conflict", "The rule has ended; put it anew with another end or frequency");
      }
      if (!(await store.pause(userId, id, paused, gateway.marketNowMs()))) throw missing();
      return get(userId, id);
    },
    async delete(userId, id) {
      if (!(await store.delete(userId, id))) throw missing();
    },
    firings: (userId, { ruleId, before, limit }) => store.firings(userId, ruleId, before, limit),
  };
}

/** Whether it fires no more: its end has come, or it fired once for each of its symbols. */
export function hasEnded({ terms: { expiresAt }, states }: StoredRule, nowMs: number): boolean {
  return (expiresAt !== null && nowMs >= expiresAt) || states.every(({ phase }) => phase === "done");
}

function requireEndToCome({ terms: { expiresAt } }: RuleDraft, nowMs: number): void {
  if (expiresAt === null || expiresAt > nowMs) return;
  throw new AppError("invalid_request", "body expires_at: must lie ahead of the market's clock");
}

/** Refuses a rule that the budget would not suffice for after a pause of the server. */
function requireCheap({ condition, rearm, interval }: RuleDraft): void {
  const parts = rearm === null ? [condition] : [condition, rearm];
  const bars = Math.max(...parts.map((each) => leadOf(each, interval))) + CATCH_UP_BARS + 2;
  const steps = bars * stepsPerBar(parts);
  if (steps <= STEP_BUDGET) return;
  const detail = `The rule takes ${steps} steps over the ${bars} bars that it may look at, and may take ${STEP_BUDGET}`;
  throw new AppError("invalid_request", detail);
}

const missing = () => new AppError("rule_not_found", "There is no such rule");
