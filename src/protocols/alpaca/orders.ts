import type { Desk } from "../../core/execution/desk.js";
import { roundQuantity } from "../../core/execution/money.js";
import type { Conditions, Order, OrderTerms } from "../../core/execution/order.js";
import { isTerminal } from "../../core/execution/states.js";
import { classifySymbol, type Instrument } from "../../core/market/instrument.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { Account } from "../../features/paper-trades/ledger.js";
import { closersOf } from "../../features/paper-trades/placing.js";
import type { AccountRow } from "../../features/paper-trades/store.js";
import { orderIdOf } from "../../features/paper-trades/trading.js";
import { AppError } from "../../platform/errors.js";
import { DialectError, notFound } from "./errors.js";
import type { OrderBody } from "./order-schema.js";
import { orderWire, type ShownOrder, type WireOrder, wireId } from "./order-views.js";
import { type RefusedOrder, refusedError } from "./refusals.js";
import { requireInstrument } from "./symbols.js";

export interface OrderFilter {
  readonly status: "open" | "closed" | "all";
  readonly limit: number;
  /** Submitted in (after, until). */
  readonly after: number;
  readonly until: number;
  readonly ascending: boolean;
  readonly nested: boolean;
  readonly symbols: ReadonlySet<string> | null;
  readonly side: "buy" | "sell" | null;
  readonly markets: ReadonlySet<string> | null;
  /** Placed between these orders, neither of them included. */
  readonly beforeId: string | null;
  readonly afterId: string | null;
}

/** Orders of a user's account in the words of the dialect. */
export interface Orders {
  list(userId: string, filter: OrderFilter): Promise<WireOrder[]>;
  /** @throws {DialectError} 404. */
  get(userId: string, id: string, nested: boolean): Promise<WireOrder>;
  byClientId(userId: string, clientOrderId: string): Promise<WireOrder>;
  submit(userId: string, body: OrderBody): Promise<WireOrder>;
  cancel(userId: string, id: string): Promise<void>;
  cancelAll(userId: string): Promise<{ id: string; status: number }[]>;
  replace(userId: string, id: string, changes: ReplaceBody): Promise<WireOrder>;
}

export interface ReplaceBody {
  readonly qty?: number | null | undefined;
  readonly time_in_force?: OrderTerms["timeInForce"] | null | undefined;
  readonly limit_price?: number | null | undefined;
  readonly stop_price?: number | null | undefined;
  readonly trail?: number | null | undefined;
  readonly client_order_id?: string | null | undefined;
}

export interface OrdersOptions {
  readonly paper: Pick<PaperDesk, "accounts" | "withLimits" | "ledger" | "trading">;
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
}

export function createOrders({ paper, instruments }: OrdersOptions): Orders {
  const { accounts, ledger, trading } = paper;

  /** Does something with the account, and says in the words of the dialect why it cannot be done. */
  async function within<T>(row: AccountRow, symbol: string | null, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const known = symbol === null ? null : await ledger.look(row.id, (desk) => refusedOn(desk, symbol));
      throw refusedError(error, known) ?? error;
    }
  }

  /** Changes an order that has not ended, and says alike of one that had and of one that ends meanwhile in which state it is. */
  async function onOpen<T>(
    row: AccountRow,
    { id, state, symbol }: Readonly<Order>,
    words: (state: string) => string,
    work: () => Promise<T>,
  ): Promise<T> {
    if (isTerminal(state)) throw closed(words(state));
    try {
      return await within(row, symbol, work);
    } catch (error) {
      const now = await ledger.look(row.id, (desk) => desk.state.orders.get(id)?.state ?? state);
      throw error instanceof DialectError && isTerminal(now) ? closed(words(now)) : error;
    }
  }

  /** What this process did to the account since its row was read is seen too. */
  async function shown(row: AccountRow, id: string, nested: boolean): Promise<WireOrder> {
    const look = (desk: Desk, account: Account) => {
      const found = findOrder(desk, account, id);
      if (found === null) throw notFound(`order not found for ${id}`);
      return wireOf(desk, account, found, nested);
    };
    return ledger.look(row.id, look, row);
  }

  return {
    async list(userId, filter) {
      const row = await accounts.usual(userId);
      return ledger.look(row.id, (desk, account) => listOrders(desk, account, filter), row);
    },
    get: async (userId, id, nested) => shown(await accounts.usual(userId), id, nested),
    async byClientId(userId, clientOrderId) {
      const row = await accounts.usual(userId);
      return ledger.look(row.id, (desk, account) => {
        const own = desk.state.orders.get(orderIdOf(row.lineId, clientOrderId));
        const found = own ?? findOrder(desk, account, clientOrderId);
        if (found === null) throw notFound(`order not found for ${clientOrderId}`);
        return wireOf(desk, account, found, true);
      });
    },
    async submit(userId, body) {
      const { row, settings } = await paper.withLimits(userId);
      const instrument = await requireInstrument(instruments, body.symbol);
      const terms = termsFrom(body, instrument);
      const cause = {
        origin: "alpaca" as const,
        ...(body.client_order_id == null ? {} : { clientOrderId: body.client_order_id }),
      };
      const leastValue = leastValueOf(instrument);
      const placed = await within(row, instrument.symbol, () =>
        trading.submit(row, { terms, cause, leastValue, settings }),
      );
      return shown(row, placed.order.id, true);
    },
    async cancel(userId, id) {
      const row = await accounts.usual(userId);
      const order = await ledger.look(row.id, (desk, account) => findOrder(desk, account, id), row);
      if (order === null) throw notFound(`order not found for ${id}`);
      const words = (state: string) => `order is already in "${state}" state`;
      await onOpen(row, order, words, () => trading.cancel(row, order.id));
    },
    async cancelAll(userId) {
      const row = await accounts.usual(userId);
      const canceled = await within(row, null, () => trading.cancelAll(row));
      return canceled.map(({ order }) => ({ id: wireId(order.id), status: 200 }));
    },
    async replace(userId, id, body) {
      const row = await accounts.usual(userId);
      const order = await ledger.look(row.id, (desk, account) => findOrder(desk, account, id), row);
      if (order === null) throw notFound(`order not found for ${id}`);
      const words = (state: string) => `cannot replace order in ${state} status`;
      const changes = changesFrom(body);
      requireTimeOf(classifySymbol(order.symbol), body.time_in_force);
      const clientOrderId = body.client_order_id ?? undefined;
      const leastValue = leastValueOf(classifySymbol(order.symbol));
      const next = await onOpen(row, order, words, () =>
        trading.replace(row, order.id, { changes, clientOrderId, leastValue }),
      );
      return shown(row, next.order.id, true);
    },
  };
}

/** What an order is worth at least, in the account's currency. */
const LEAST_VALUE = { us_equity: 1, crypto: 10 } as const;

function leastValueOf(instrument: Pick<Instrument, "assetClass"> | null): number {
  return LEAST_VALUE[instrument?.assetClass === "crypto" ? "crypto" : "us_equity"];
}

const closed = (message: string) => new DialectError(422, { code: 42210000, message });

/** By its id, or that of a leg. */
export function findOrder({ state }: Desk, { history }: Account, id: string): Readonly<Order> | null {
  const wanted = id.toLowerCase();
  const own = state.orders.get(wanted);
  if (own !== undefined) return own;
  for (const placed of history.placed) {
    if (placed.includes("/") && wireId(placed) === wanted) return state.orders.get(placed) ?? null;
  }
  return null;
}

export function refusedOn(desk: Desk, symbol: string): RefusedOrder {
  const held = desk.state.positions.get(symbol)?.quantity ?? 0;
  const related = closersOf(desk, symbol).map(({ id }) => wireId(id));
  const instrument = classifySymbol(symbol) ?? { symbol, assetClass: "equity" };
  return { instrument, held, promised: desk.promised(symbol), related };
}

/** An order as it is shown. @throws Error for a symbol that is none. */
function shownOf({ history, causes }: Account, order: Readonly<Order>): ShownOrder {
  const times = history.times.get(order.id);
  const instrument = classifySymbol(order.symbol);
  if (times === undefined || instrument === null) throw new Error(`order ${order.id} has no history`);
  return { order, times, instrument, clientOrderId: causes.get(order.id)?.clientOrderId ?? wireId(order.id) };
}

/** @param nested with its legs. */
export function wireOf(desk: Desk, account: Account, order: Readonly<Order>, nested: boolean): WireOrder {
  const legs = nested ? legsOf(desk, order).map((leg) => shownOf(account, leg)) : null;
  return orderWire(shownOf(account, order), legs);
}

/** The entry of a group, or the target of one without an entry, has the others as legs. */
function legsOf({ state }: Desk, { id, group, role }: Readonly<Order>): Readonly<Order>[] {
  const members = group === null ? undefined : state.groups.get(group);
  if (members === undefined || role === "stop" || (role === "target" && members.parent !== null)) return [];
  return [members.target, members.stop].flatMap((leg) => {
    const order = leg === null || leg === id ? undefined : state.orders.get(leg);
    return order === undefined ? [] : [order];
  });
}

function isLeg({ state }: Desk, { role, group }: Readonly<Order>): boolean {
  if (role === "stop") return true;
  return role === "target" && group !== null && state.groups.get(group)?.parent !== null;
}

/** Place of an order among those that were placed. @throws {DialectError} 404. */
function placeOf(desk: Desk, account: Account, id: string): number {
  const order = findOrder(desk, account, id);
  if (order === null) throw notFound(`order not found for ${id}`);
  return account.history.placed.indexOf(order.id);
}

function listOrders(desk: Desk, account: Account, filter: OrderFilter): WireOrder[] {
  const { beforeId, afterId } = filter;
  const from = afterId === null ? 0 : placeOf(desk, account, afterId) + 1;
  const placed = account.history.placed.slice(
    from,
    beforeId === null ? undefined : Math.max(from, placeOf(desk, account, beforeId)),
  );
  const found: WireOrder[] = [];
  for (let k = 0; k < placed.length && found.length < filter.limit; k++) {
    const order = desk.state.orders.get(placed[filter.ascending ? k : placed.length - 1 - k]);
    if (order === undefined || !isWanted(order, filter)) continue;
    if (filter.nested && isLeg(desk, order)) continue;
    const shown = shownOf(account, order);
    const market = shown.instrument.assetClass === "crypto" ? "crypto" : "us_equity";
    if (filter.markets !== null && !filter.markets.has(market)) continue;
    found.push(wireOf(desk, account, order, filter.nested));
  }
  return found;
}

function isWanted(order: Readonly<Order>, { status, after, until, symbols, side }: OrderFilter): boolean {
  if (status !== "all" && isTerminal(order.state) !== (status === "closed")) return false;
  if (order.submittedAt <= after || order.submittedAt >= until) return false;
  return (symbols === null || symbols.has(order.symbol)) && (side === null || order.side === side);
}

/** @throws {DialectError} 422 for a time in force that coins have not. */
function requireTimeOf(
  instrument: Pick<Instrument, "assetClass"> | null,
  timeInForce: OrderTerms["timeInForce"] | null | undefined,
): void {
  if (instrument?.assetClass !== "crypto" || timeInForce == null) return;
  if (timeInForce !== "gtc" && timeInForce !== "ioc") throw closed("invalid crypto time_in_force");
}

function termsFrom(body: OrderBody, instrument: Instrument): Omit<OrderTerms, "id"> {
  const { time_in_force: timeInForce, take_profit: target, stop_loss: stop } = body;
  requireTimeOf(instrument, timeInForce);
  const orderClass = body.order_class || "simple";
  return {
    symbol: instrument.symbol,
    side: body.side,
    type: body.type,
    timeInForce,
    // Sums of fractions have a tail that nobody meant.
    quantity: body.qty == null ? null : roundQuantity(body.qty),
    notional: body.notional ?? null,
    limitPrice: orderClass === "oco" ? null : (body.limit_price ?? null),
    stopPrice: body.stop_price ?? null,
    trailAmount: body.trail_price ?? null,
    trailPercent: body.trail_percent ?? null,
    extendedHours: body.extended_hours ?? false,
    orderClass,
    takeProfit: target == null ? null : { limitPrice: target.limit_price },
    stopLoss: stop == null ? null : { stopPrice: stop.stop_price, limitPrice: stop.limit_price ?? null },
    conditions: { refusesWash: true, intent: intentOf(body) },
  };
}

/** What of the intent is not the side, which it must not contradict. @throws {DialectError} 422. */
function intentOf({ side, position_intent: given }: OrderBody): Conditions["intent"] {
  if (given == null) return null;
  const [way, , intent] = given.split("_");
  if (way !== side) throw closed(`position_intent ${given} contradicts side ${side}`);
  return intent === "open" ? "open" : "close";
}

function changesFrom(body: ReplaceBody) {
  return {
    conditions: { refusesWash: true, intent: null },
    ...(body.qty == null ? {} : { quantity: roundQuantity(body.qty) }),
    ...(body.time_in_force == null ? {} : { timeInForce: body.time_in_force }),
    ...(body.limit_price == null ? {} : { limitPrice: body.limit_price }),
    ...(body.stop_price == null ? {} : { stopPrice: body.stop_price }),
    ...(body.trail == null ? {} : { trail: body.trail }),
  };
}
