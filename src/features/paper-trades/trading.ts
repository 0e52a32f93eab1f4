import { randomUUID } from "node:crypto";
import type { Desk } from "../../core/execution/desk.js";
import type { Traded } from "../../core/execution/instrument.js";
import { fromMicros, MICROS, roundQuantity } from "../../core/execution/money.js";
import type { Conditions, Order, OrderTerms } from "../../core/execution/order.js";
import type { Changes } from "../../core/execution/replace.js";
import { isTerminal } from "../../core/execution/states.js";
import { refusal } from "../../core/execution/validate.js";
import type { Sql } from "../../platform/database.js";
import { isTaken } from "../../platform/database-errors.js";
import { AppError } from "../../platform/errors.js";
import { uuidOf } from "../../platform/uuid.js";
import type { Instruments } from "../instruments/instruments.js";
import { tradedOf } from "../instruments/traded.js";
import type { RiskSettings, RiskSettingsStore } from "../risk/settings.js";
import { causeOf, type OrderCause } from "./cause.js";
import type { Feed, MarketNow } from "./feed.js";
import { fillLimits } from "./fill-limits.js";
import { needsLastBar } from "./last-bars.js";
import type { Account, Ledger } from "./ledger.js";
import type { Matching } from "./matching.js";
import {
  type Allowance,
  type ClosePart,
  closing,
  type Limited,
  meetQuote,
  type OrderNow,
  opens,
  orderNow,
  place,
  prepare,
  requireAllowed,
  requireCurrency,
  requireOrder,
  requireWorth,
  waitOf,
} from "./placing.js";
import { refusedBy } from "./refusals.js";
import type { Standings } from "./standings.js";
import type { AccountRow } from "./store.js";

export interface OrderRequest {
  readonly terms: Omit<OrderTerms, "id">;
  readonly cause: Partial<OrderCause> & Pick<OrderCause, "origin">;
  /** Those of the account's owner, where they have just been read. */
  readonly settings?: RiskSettings;
  /** Whether it came with the token of a pre-trade check, or whoever took it knows that none is needed. */
  readonly confirmed?: boolean;
  /** Money that it is to be worth at least; whatever is worth a hundredth by default. */
  readonly leastValue?: number;
}

/** What an order is to be replaced by. */
export interface Replacement {
  readonly changes: Changes;
  readonly clientOrderId?: string | undefined;
  /** Money that the order is to be worth at least with what is filled of it, as where it is placed. */
  readonly leastValue?: number;
  readonly seal?: Sealing<OrderNow> | undefined;
}

/** Keeps what is answered within the transaction that does it. */
export type Sealing<T> = (sql: Sql, result: T) => Promise<void>;

export interface Trading {
  /**
   * Places an order. At a fresh quote of an open market it is met at once; otherwise by the next bar or quote.
   * @throws {AppError} `order_refused` with every reason, `trading_halted`, `account_closed`, `symbol_unknown`;
   * like the others, `provider_unavailable` where no source tells what the symbol did while nobody looked.
   */
  submit(account: AccountRow, request: OrderRequest, seal?: Sealing<OrderNow>): Promise<OrderNow>;
  /** @throws {AppError} `order_not_found`, `order_refused`. */
  cancel(account: AccountRow, orderId: string, seal?: Sealing<OrderNow>): Promise<OrderNow>;
  /** @returns those that were canceled. */
  cancelAll(account: AccountRow, symbol?: string): Promise<readonly OrderNow[]>;
  /** Puts another order in the place of one. @throws {AppError} `order_not_found`, `order_refused`. */
  replace(account: AccountRow, orderId: string, request: Replacement): Promise<OrderNow>;
  /**
   * Closes a position, or a part of it, at the market; targets and stops of what is closed are canceled.
   * @throws {AppError} `position_not_found`, `conflict` while it is being closed, `order_refused` by its conditions.
   */
  closePosition(
    account: AccountRow,
    symbol: string,
    part: ClosePart,
    more?: { readonly seal?: Sealing<OrderNow>; readonly conditions?: Conditions },
  ): Promise<OrderNow>;
}

export interface TradingOptions {
  readonly ledger: Ledger;
  readonly feed: Feed;
  readonly standings: Standings;
  readonly matching: Pick<Matching, "begin">;
  readonly settings: Pick<RiskSettingsStore, "load">;
  readonly instruments: Pick<Instruments, "resolve">;
}

/** Markets as commands see them, after an account was shown what happened in them before. */
function createMarkets({ ledger, feed, instruments, matching, settings, standings }: TradingOptions) {
  async function marketOf(account: AccountRow, text: string): Promise<{ market: MarketNow; traded: Traded }> {
    const instrument = await instruments.resolve(text);
    const traded = tradedOf(instrument);
    requireCurrency(account, instrument);
    const market = await feed.now(instrument, needsLastBar(account.rules));
    await matching.begin(account, market.atMs, [instrument.symbol]);
    return { market, traded };
  }

  /** The market of a symbol, and what the owner of an account allows there. @param known settings that have just been read. */
  async function termsOfTrade(row: AccountRow, text: string, known?: RiskSettings) {
    const [found, allowed] = await Promise.all([marketOf(row, text), known ?? settings.load(row.userId)]);
    const allowance: Allowance = {
      settings: allowed,
      day: await standings.today(row, found.market.atMs),
    };
    return { allowance, ...found };
  }

  /**
   * Symbols of orders, and when their markets are. What happened until then has been shown to the account: all of it,
   * or, where `all` is not asked for, as far as sources tell.
   */
  async function clocks(row: AccountRow, symbolsOf: (desk: Desk) => readonly string[], all: boolean) {
    const symbols = [...new Set(await ledger.look(row.id, symbolsOf, row))];
    const known = symbols.map(async (symbol) => {
      const at = await feed.clock(await instruments.resolve(symbol));
      return [symbol, at] as const;
    });
    const instants = new Map(await Promise.all(known));
    if (instants.size > 0) {
      await matching.begin(row, Math.max(...instants.values()), all ? symbols : []);
    }
    return instants;
  }

  return { termsOfTrade, clocks };
}

export function createTrading(options: TradingOptions): Trading {
  const { ledger } = options;
  const { termsOfTrade, clocks } = createMarkets(options);

  return {
    async submit(row, { terms, cause, settings: known, confirmed = false, leastValue = 0 }, seal) {
      const { market, traded, allowance } = await termsOfTrade(row, terms.symbol, known);
      const clientOrderId = cause.clientOrderId ?? randomUUID();
      const placed = { id: orderIdOf(row.lineId, clientOrderId), ...terms, symbol: traded.symbol };
      const run = (desk: Desk, account: Account) => {
        if (desk.state.orders.has(placed.id)) throw refusedBy([refusal("id_not_unique", "id")]);
        prepare(desk, account, traded, market);
        const wrong = desk.validate(placed);
        if (wrong.length > 0) throw refusedBy(wrong);
        requireConfirmed(desk, placed, allowance.settings, confirmed);
        requireAllowed(desk, account, placed, allowance);
        requireWorth(desk, placed, leastValue);
        const why = causeOf(clientOrderId, cause.origin, cause);
        return fillLimits(desk, account, allowance, placed.id).during(() =>
          place(desk, account, placed, market, why),
        );
      };
      return namedOnce(ledger.act(row.id, seal === undefined ? { run } : { run, seal }));
    },

    ...createCancels(ledger, clocks),

    async replace(row, orderId, { changes, clientOrderId: given, leastValue = 0, seal }) {
      const symbol = await ledger.look(row.id, (desk) => requireOrder(desk, orderId).symbol, row);
      const { market, traded, allowance } = await termsOfTrade(row, symbol);
      const clientOrderId = given ?? randomUUID();
      const id = orderIdOf(row.lineId, clientOrderId);
      const acting = ledger.act(row.id, {
        run(desk, account) {
          prepare(desk, account, traded, market);
          const order = requireOrder(desk, orderId);
          const changed = changedTerms(order, changes);
          if (changed !== null) {
            requireConfirmed(desk, changed, allowance.settings, false);
            requireAllowed(desk, account, changed, allowance, orderId);
            requireWorth(desk, changed, leastValue, fromMicros(order.filledMicros));
          }
          const renamed = given !== undefined;
          const refusals = desk.replace(
            orderId,
            id,
            { ...changes, renamed },
            { at: market.atMs, open: market.open },
          );
          if (refusals.length > 0) throw refusedBy(refusals);
          const before = account.causes.get(orderId);
          account.explain(id, causeOf(clientOrderId, before?.origin ?? "native", before));
          fillLimits(desk, account, allowance, id).during(() => meetQuote(desk, traded.symbol, market));
          return orderNow(desk, account, id, waitOf(account, market));
        },
        ...(seal === undefined ? {} : { seal }),
      });
      return namedOnce(acting);
    },

    closePosition: createClosing(options, termsOfTrade),
  };
}

function createClosing(
  { ledger }: TradingOptions,
  termsOfTrade: ReturnType<typeof createMarkets>["termsOfTrade"],
): Trading["closePosition"] {
  return async (row, text, part, { seal, conditions = null } = {}) => {
    const { market, traded, allowance } = await termsOfTrade(row, text);
    const clientOrderId = randomUUID();
    const run = (desk: Desk, account: Account) => {
      prepare(desk, account, traded, market);
      const terms = closing(desk, account, traded, part, market.atMs);
      const placed = { ...terms, conditions, id: orderIdOf(row.lineId, clientOrderId) };
      requireWorth(desk, placed);
      // Others that rest meet the same quote.
      return fillLimits(desk, account, allowance).during(() =>
        place(desk, account, placed, market, causeOf(clientOrderId, "close")),
      );
    };
    return ledger.act(row.id, seal === undefined ? { run } : { run, seal });
  };
}

/** What would be left of an order after changes; null for one that has ended, and for a leg, which opens nothing. */
function changedTerms(order: Readonly<Order>, changes: Changes): Limited | null {
  const { symbol, side, role, state, filled, orderClass, notional, filledMicros } = order;
  if (isTerminal(state) || role === "target" || role === "stop") return null;
  return {
    symbol,
    side,
    orderClass,
    quantity: notional === null ? roundQuantity((changes.quantity ?? order.quantity) - filled) : null,
    notional: notional === null ? null : (notional - filledMicros) / MICROS,
    limitPrice: changes.limitPrice ?? order.limitPrice,
    stopPrice: changes.stopPrice ?? order.stopPrice,
  };
}

/** @throws {AppError} `confirmation_refused` for what opens something where the settings demand a token. */
function requireConfirmed(
  desk: Desk,
  terms: Limited,
  { require_confirmation: required }: RiskSettings,
  confirmed: boolean,
): void {
  if (!required || confirmed || !opens(desk, terms)) return;
  throw new AppError(
    "confirmation_refused",
    "missing: the settings demand the token of a pre-trade check for what opens a position",
  );
}

type Clocks = ReturnType<typeof createMarkets>["clocks"];

function createCancels(ledger: Ledger, clocks: Clocks): Pick<Trading, "cancel" | "cancelAll"> {
  return {
    async cancel(row, id, seal) {
      const at = await clocks(row, (desk) => [requireOrder(desk, id).symbol], true);
      return ledger.act(row.id, {
        run(desk, account) {
          const refusals = desk.cancel(id, instantIn(at, requireOrder(desk, id).symbol));
          if (refusals.length > 0) throw refusedBy(refusals);
          return orderNow(desk, account, id, null);
        },
        ...(seal === undefined ? {} : { seal }),
      });
    },

    async cancelAll(row, symbol) {
      const wanted = (desk: Desk) =>
        [...desk.state.orders.values()].filter(
          (order) => !isTerminal(order.state) && (symbol === undefined || order.symbol === symbol),
        );
      // A brake does not wait for a source.
      const at = await clocks(row, (desk) => wanted(desk).map((order) => order.symbol), false);
      return ledger.act(row.id, {
        run(desk, account) {
          const canceled: OrderNow[] = [];
          for (const { id, symbol: its } of wanted(desk)) {
            // Legs go with their entry, and an order on a symbol that came meanwhile stays.
            if (!at.has(its) || isTerminal(requireOrder(desk, id).state)) continue;
            if (desk.cancel(id, instantIn(at, its)).length === 0)
              canceled.push(orderNow(desk, account, id, null));
          }
          return canceled;
        },
      });
    },
  };
}

/**
 * The id of an order follows from the name that its trader gave it: one name, one order, for ever.
 * @param lineId the account that the line of resets began with.
 */
export function orderIdOf(lineId: string, clientOrderId: string): string {
  return uuidOf(`order ${lineId} ${clientOrderId}`);
}

/** @throws {AppError} `order_refused` where the database has an order of the name in an account that was reset. */
async function namedOnce<T>(acting: Promise<T>): Promise<T> {
  try {
    return await acting;
  } catch (error) {
    if (isTaken(error, "paper_orders_name")) throw refusedBy([refusal("id_not_unique", "id")]);
    throw error;
  }
}

function instantIn(instants: ReadonlyMap<string, number>, symbol: string): number {
  const at = instants.get(symbol);
  if (at === undefined) throw new Error(`no clock of ${symbol} was asked`);
  return at;
}
