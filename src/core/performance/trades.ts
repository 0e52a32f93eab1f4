import { ensure } from "../base/assert.js";
import { cashOf, closingPart } from "../execution/account.js";
import type { AccountEvent, DeskEvent, FilledChange, OrderEvent } from "../execution/events.js";
import { roundQuantity, shareMicros, timesMicros } from "../execution/money.js";
import { purposeOf, type Side } from "../execution/order.js";
import { isTerminal } from "../execution/states.js";
import { type Doubt, type Doubts, noteDoubt, unitsOf } from "./doubts.js";
import {
  addLot,
  charge,
  closeLots,
  type Exit,
  type Lot,
  NO_FEES,
  partOfFees,
  price,
  restOfFees,
  shareAmong,
  splitLots,
  type TradeRow,
} from "./lots.js";
import { type ExitReason, signOf, type Trade } from "./trade.js";

/**
 * The trades of one account out of the events of its desk, from the first on. Whenever it has taken an event, the sum of
 * `net` over all trades, what is open at the latest prices less `openMicros`, and `interest` are the equity less
 * `capital`, to the micro.
 */
export interface TradeBook {
  /** In the order in which they were opened. They change as long as they are open. */
  readonly trades: readonly Trade[];
  /** Paid in less paid out, micros. */
  readonly capital: number;
  /** Received on cash, below 0 where it was paid, micros. It is of no trade. */
  readonly interest: number;
  /** Open trades of a symbol, the oldest first: the same list until the book takes something of the symbol. */
  openOf(symbol: string): readonly Trade[];
  /** How many those are, without listing them. */
  countOf(symbol: string): number;
  /** The open trade that an order which has not ended closes before others; null where it closes what is oldest. */
  closedBy(orderId: string): Trade | null;
  /** What its doubtful fills could have come to; null where it has none or that was not told. */
  doubtOf(trade: Trade): Doubt | null;
  /** @returns trades that it opened, changed or closed. @throws AssertionError for events without those before. */
  take(event: DeskEvent): readonly Trade[];
}

/** What is known of an order while it is open. */
interface Entry {
  readonly side: Side;
  readonly reason: ExitReason;
  /** Of an entry with a target or a stop the group. */
  readonly opensFor: string | null;
  /** The order, or the group, whose trade it closes before others. */
  readonly closes: string | null;
  /** The newest trade that it opened or took over from the order it replaces; and how many it opened. */
  trade: TradeRow | null;
  count: number;
}

interface Holding {
  /** As the desk has it, below 0 for a short position. */
  quantity: number;
  readonly lots: Lot[];
  /** Trades of the lots; null after they changed, until somebody asks. */
  open: readonly Trade[] | null;
  /** Of trades that are open. */
  count: number;
}

interface Books {
  readonly trades: TradeRow[];
  readonly holdings: Map<string, Holding>;
  readonly orders: Map<string, Entry>;
  /** The newest trade of each order and of each group that opened one. */
  readonly opened: Map<string, TradeRow>;
  readonly doubts: Doubts;
  capital: number;
  interest: number;
}

const NO_TRADES: readonly Trade[] = Object.freeze([]);

export function createTrades(): TradeBook {
  const books: Books = {
    ...{ trades: [], holdings: new Map(), orders: new Map(), opened: new Map() },
    doubts: new Map(),
    ...{ capital: 0, interest: 0 },
  };
  return {
    trades: books.trades,
    get capital() {
      return books.capital;
    },
    get interest() {
      return books.interest;
    },
    openOf(symbol) {
      const holding = books.holdings.get(symbol);
      if (holding === undefined) return NO_TRADES;
      holding.open ??= Object.freeze(tradesIn(holding.lots));
      return holding.open;
    },
    countOf: (symbol) => books.holdings.get(symbol)?.count ?? 0,
    closedBy: (orderId) => {
      const entry = books.orders.get(orderId);
      return entry === undefined ? null : namedBy(books, entry);
    },
    doubtOf: (trade) => books.doubts.get(trade) ?? null,
    take: (event) => (event.kind === "account" ? takeAccount(books, event) : takeOrder(books, event)),
  };
}

/** Trades of lots, each once: most have one lot, which is all that is open of them. */
function tradesIn(lots: readonly Lot[]): Trade[] {
  const trades: Trade[] = [];
  for (const { trade, quantity } of lots) {
    const isOnly = quantity > 0 && quantity === trade.openQuantity;
    if (isOnly || !trades.includes(trade)) trades.push(trade);
  }
  return trades;
}

/** The trades of a whole sequence of events. */
export function tradesOf(events: Iterable<DeskEvent>): TradeBook {
  const book = createTrades();
  for (const event of events) book.take(event);
  return book;
}

/**
 * What open trades of one symbol would gain at a price, before fees, micros. They sum to the value of all together less
 * what was paid for them.
 */
export function unrealisedOf(trades: readonly Trade[], mark: number): number[] {
  let quantity = 0;
  let worth = 0;
  return trades.map((trade) => {
    const sign = signOf(trade);
    quantity = roundQuantity(quantity + trade.openQuantity);
    const own = timesMicros(mark, quantity) - worth;
    worth += own;
    return sign * (own - trade.openMicros) + 0;
  });
}

function takeOrder(books: Books, event: OrderEvent): readonly Trade[] {
  const { orders } = books;
  const { orderId } = event;
  if ("order" in event && event.order !== null) {
    const { side, role, group } = event.order;
    const isEntry = role === "parent";
    const of = {
      opensFor: isEntry ? group : null,
      closes: event.order.closes ?? (isEntry ? null : group),
    };
    const reason = purposeOf(event.order);
    const replaced = orders.get(event.order.replaces ?? orderId);
    orders.set(orderId, { side, reason, ...of, trade: replaced?.trade ?? null, count: 0 });
    if (event.order.replaces !== null) orders.delete(event.order.replaces);
  }
  const changed = "fill" in event ? takeFill(books, event) : NO_TRADES;
  // An order that is replaced stays known until the other comes in its place.
  if (isTerminal(event.to) && event.event !== "replaced") orders.delete(orderId);
  return changed;
}

function takeFill(books: Books, event: OrderEvent & FilledChange): readonly Trade[] {
  const { fill, orderId, symbol, at, seq } = event;
  const entry = ensure(books.orders.get(orderId), `order ${orderId} is not placed`);
  const holding = holdingOf(books, symbol);
  const { quantity, ambiguous } = fill;
  const closed = closingPart(holding.quantity, entry.side, quantity);
  const opened = roundQuantity(quantity - closed);
  const micros = closed === 0 ? 0 : shareMicros(fill.micros, closed, quantity);
  const fees = partOfFees(fill.fees, closed, quantity);
  const changed: Trade[] = [];
  const before = ambiguous ? unitsOf(holding.lots) : null;
  let into: Trade | null = null;
  if (closed > 0) {
    const all = closed === Math.abs(holding.quantity);
    const { reason } = entry;
    const trade = namedBy(books, entry);
    const exit = { quantity: closed, micros, fees, reason, at, seq, ambiguous, trade, all };
    changed.push(...closing(holding, exit));
  }
  holding.quantity = fill.position.quantity;
  const exits = [...changed];
  if (opened > 0) {
    const known = books.trades.length;
    const trade = entryTrade(books, event, entry);
    holding.count += books.trades.length - known;
    into = trade;
    const cost = fill.micros - micros;
    addLot(holding.lots, trade, opened, cost);
    trade.ambiguous ||= ambiguous;
    charge(trade, restOfFees(fill.fees, fees));
    price(trade);
    books.opened.set(event.orderId, trade);
    if (entry.opensFor !== null) books.opened.set(entry.opensFor, trade);
    changed.push(trade);
  }
  if (before !== null) noteDoubt(books.doubts, fill, before, exits, into, opened);
  return changed;
}

/** @returns trades that an exit closes, or takes something of. */
function closing(holding: Holding, exit: Exit): TradeRow[] {
  const touched = closeLots(holding.lots, exit);
  for (const { closedAt } of touched) if (closedAt !== null) holding.count--;
  return touched;
}

/** A group has its name from the order that it was submitted with, so that both are looked up alike. */
function namedBy({ opened }: Books, { closes }: Entry): TradeRow | null {
  const trade = closes === null ? undefined : opened.get(closes);
  return trade === undefined || trade.closedAt !== null ? null : trade;
}

/** The trade that an order adds to; a new one where it has none that is open. */
function entryTrade(books: Books, { orderId, symbol, at, seq }: OrderEvent, entry: Entry): TradeRow {
  if (entry.trade !== null && entry.trade.closedAt === null) return entry.trade;
  entry.count++;
  const trade: TradeRow = {
    id: entry.count === 1 ? orderId : `${orderId}#${entry.count}`,
    orderId,
    symbol,
    side: entry.side === "buy" ? "long" : "short",
    quantity: 0,
    openQuantity: 0,
    entryPrice: 0,
    exitPrice: null,
    entryMicros: 0,
    exitMicros: 0,
    openMicros: 0,
    openedAt: at,
    openedSeq: seq,
    closedAt: null,
    closedSeq: null,
    gross: 0,
    fees: 0,
    feesByKind: NO_FEES,
    dividends: 0,
    borrow: 0,
    net: 0,
    exitReason: null,
    ambiguous: false,
  };
  entry.trade = trade;
  books.trades.push(trade);
  return trade;
}

function takeAccount(books: Books, event: AccountEvent): readonly Trade[] {
  const cash = cashOf(event.legs);
  if (event.event === "transferred") books.capital += cash;
  if (event.event === "interest") books.interest += cash;
  const { symbol } = event;
  if (symbol === null) return NO_TRADES;
  const holding = holdingOf(books, symbol);
  switch (event.event) {
    case "dividend":
      return shareAmong(holding.lots, cash, (trade, part) => {
        trade.dividends += part;
      });
    case "borrow":
      return shareAmong(holding.lots, -cash, (trade, part) => {
        trade.borrow += part;
      });
    case "split":
      return takeSplit(holding, event, cash);
    case "delisted":
      return closeAll(holding, { ...exitOf(event, cash), reason: "delisted" });
    default:
      return NO_TRADES;
  }
}

function takeSplit(holding: Holding, event: AccountEvent, cash: number): readonly Trade[] {
  splitLots(holding.lots, Number(event.facts.ratio));
  const changed = new Set(holding.lots.map(({ trade }) => trade));
  const quantity = Number(event.facts.remainder);
  const after = event.position?.quantity ?? 0;
  const exit: Exit = { ...exitOf(event, cash), quantity, reason: "split", all: after === 0 };
  if (quantity > 0 || after === 0) closing(holding, exit);
  holding.quantity = after;
  return [...changed];
}

function closeAll(holding: Holding, exit: Exit): readonly Trade[] {
  holding.quantity = 0;
  return closing(holding, exit);
}

/** All of a position for what it brought or cost. */
function exitOf({ at, seq }: AccountEvent, cash: number): Omit<Exit, "reason"> {
  return {
    quantity: 0,
    micros: Math.abs(cash),
    fees: NO_FEES,
    at,
    seq,
    ambiguous: false,
    trade: null,
    all: true,
  };
}

/** To be changed: what was said of its open trades does not stand any more. */
function holdingOf({ holdings }: Books, symbol: string): Holding {
  const known = holdings.get(symbol);
  if (known !== undefined) {
    known.open = null;
    return known;
  }
  const holding: Holding = { quantity: 0, lots: [], open: null, count: 0 };
  holdings.set(symbol, holding);
  return holding;
}
