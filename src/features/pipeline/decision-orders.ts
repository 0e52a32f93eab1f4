import { ensure } from "../../core/base/assert.js";
import { onTick } from "../../core/execution/instrument.js";
import { patternOfSynergy } from "../../core/synergy/sequence.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { type Lease, LeaseLostError, type Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Instruments } from "../instruments/instruments.js";
import { tradedOf } from "../instruments/traded.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import { entryTerms } from "../paper-trades/native.js";
import { type OrderNow, unitsOf } from "../paper-trades/placing.js";
import type { Sealing } from "../paper-trades/trading.js";
import type { DecisionStore, OrderSaid, StoredDecision } from "./decision-store.js";
import type { TradedAccount } from "./paper-account.js";
import { DECISION_TOPIC } from "./topics.js";
import { decisionView } from "./views.js";

export const DECISION_ORDERS_LEASE = "decision-orders";
const EVERY_MS = 1_000;
/** Without an account there is nothing to do but to say so of what waited for one of before. */
const SELDOM_MS = 60_000;
const LEASE_MS = 60_000;
const TIMEOUT_MS = 50_000;
const BATCH = 100;

export interface DecisionOrderParts {
  readonly database: Pick<Database, "transaction">;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly leases: Leases;
  readonly store: Pick<DecisionStore, "listWaiting" | "settleOrder">;
  /** Null where decisions are traded in none. */
  readonly account: TradedAccount | null;
  readonly paper: Pick<PaperDesk, "withLimits" | "trading" | "feed">;
  readonly instruments: Pick<Instruments, "resolve">;
  /** An order is placed no later after the close at which it was decided. */
  readonly mostAgeMs: number;
  readonly now: () => number;
  readonly log: Log;
}

/** Its order has been settled by another process, or by this one before it lost the answer. */
class Settled extends Error {
  override readonly name = "Settled";
}

/** Refusals that a later price may take back. */
const OF_PRICES: ReadonlySet<string | undefined> = new Set([
  "price_unknown",
  "loss_on_wrong_side",
  "target_on_wrong_side",
]);

/** The name that the order of a decision has in its account: one decision, one order, whatever happens. */
export const orderNameOf = (synergyId: number) => `synergy-${synergyId}`;

/** Places the orders of decisions, one process for all, in the order in which they were decided. */
export function createDecisionOrders(parts: DecisionOrderParts): LoopDefinition {
  const { leases, store, account, log } = parts;
  const settle = createSettling(parts);
  /** Why orders wait that were tried, by their synergies. */
  const reasons = new Map<number, string>();
  return {
    name: DECISION_ORDERS_LEASE,
    everyMs: () => (account === null ? SELDOM_MS : EVERY_MS),
    timeoutMs: TIMEOUT_MS,
    async run(_nowMs, signal) {
      const waiting = await store.listWaiting(BATCH);
      const ids = new Set(waiting.map(({ synergy }) => synergy.id));
      for (const id of reasons.keys()) if (!ids.has(id)) reasons.delete(id);
      if (waiting.length === 0) return;
      const lease = await leases.acquire(DECISION_ORDERS_LEASE, LEASE_MS);
      if (lease === null) return;
      for (const decision of waiting) {
        if (signal.aborted) return;
        try {
          await settle(decision, lease, reasons.get(decision.synergy.id));
        } catch (error) {
          if (error instanceof Settled) continue;
          if (error instanceof LeaseLostError || !(error instanceof AppError)) throw error;
          // It may pass: the next run tries again, until the decision is too old.
          log.debug({ err: error, synergy: decision.synergy.id }, "the order of a decision waits");
          reasons.set(decision.synergy.id, `${error.code}: ${error.message}`);
        }
      }
    },
  };
}

function createSettling(parts: DecisionOrderParts) {
  const { database, eventLog, leases, store, account, paper, instruments, mostAgeMs, now, log } = parts;

  async function end(sql: Sql, decision: StoredDecision, lease: Lease, order: OrderSaid): Promise<void> {
    await leases.confirm(sql, lease);
    if (!(await store.settleOrder(sql, decision.synergy.id, order))) throw new Settled("settled already");
    const event = order.status === "placed" ? ("EXECUTE_TRADE" as const) : ("ORDER_REFUSED" as const);
    const payload = { ...decisionView({ ...decision, order }), event };
    await eventLog.append(sql, [{ topic: DECISION_TOPIC, payload }]);
  }

  /** @throws {AppError} as paper orders do. */
  async function place(decision: StoredDecision, traded: TradedAccount, lease: Lease): Promise<void> {
    const { synergy, size, stop, target, confidence, measure } = decision;
    const opened = await traded.open();
    const { row, settings } = await paper.withLimits(opened.userId, opened.id);
    const known = await instruments.resolve(synergy.symbol);
    const instrument = tradedOf(known);
    // Levels of decisions are computed; orders are placed on ticks.
    const placed = (level: number | null) => (level === null ? null : onTick(level, instrument, 0));
    const terms = entryTerms({
      ...{ symbol: instrument.symbol, side: synergy.way > 0 ? "buy" : "sell", price: null },
      ...{
        quantity: unitsOf(instrument, ensure(size, "a size")),
        stop: placed(stop),
        target: placed(target),
      },
    });
    const pattern = patternOfSynergy(synergy.type);
    const cause = {
      ...({
        origin: "native",
        strategy: "synergy",
        pattern,
        clientOrderId: orderNameOf(synergy.id),
      } as const),
      ...(measure === "score" ? { confidence, model: decision.model.version } : {}),
    };
    const seal: Sealing<OrderNow> = (sql, { order }) =>
      end(sql, decision, lease, { status: "placed", id: order.id, why: null });
    const { quote } = await paper.feed.now(known);
    try {
      await paper.trading.submit(row, { terms, cause, settings }, seal);
    } catch (error) {
      const isBehind = quote === null || quote.time < synergy.knownAt;
      throw isBehind && isOfPrices(error) ? behind(error) : error;
    }
  }

  return async (decision: StoredDecision, lease: Lease, waitedFor?: string): Promise<void> => {
    const refuse = async (why: string) => {
      const order = { status: "refused", id: null, why } as const;
      await database.transaction((sql) => end(sql, decision, lease, order));
      eventLog.wake();
    };
    if (account === null || decision.account?.id !== account.id) {
      return refuse("account_changed: decisions are traded in another account by now, or in none");
    }
    const late = tooLate(decision.synergy.knownAt, now(), mostAgeMs);
    if (late !== null) return refuse(waitedFor === undefined ? late : `${late}; before, ${waitedFor}`);
    try {
      await place(decision, account, lease);
      eventLog.wake();
    } catch (error) {
      if (error instanceof LeaseLostError || error instanceof Settled) throw error;
      if (!(error instanceof AppError)) {
        log.error({ err: error, synergy: decision.synergy.id }, "the order of a decision failed");
        return refuse("internal: the server failed");
      }
      if (error.code === "database_unavailable" || error.retryAfterS !== null) throw error;
      await refuse(`${error.code}: ${error.message}`);
    }
  };
}

function isOfPrices(error: unknown): error is AppError {
  if (!(error instanceof AppError) || error.code !== "order_refused") return false;
  return error.problems.every(({ code }) => OF_PRICES.has(code));
}

/** The account has a price from before the close that was decided at: its source may be a moment behind the ticks. */
function behind(error: AppError): AppError {
  const detail = `No price since the close is known yet (${error.message})`;
  return new AppError("provider_unavailable", detail, { cause: error });
}

/** Why nothing is ordered any more on what was known at a close; null where there is time. */
export function tooLate(knownAt: number, nowMs: number, mostAgeMs: number): string | null {
  const age = nowMs - knownAt;
  if (age <= mostAgeMs) return null;
  return `too_late: it was ${Math.round(age / 1_000)} s after the close, and ${mostAgeMs / 1_000} s are allowed`;
}
