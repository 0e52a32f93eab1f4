import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { timesMicros } from "../../src/core/execution/money.js";
import { applyEvent, createState, type DeskState } from "../../src/core/execution/state.js";
import { shareOut } from "../../src/core/performance/lots.js";
import { EXIT_REASONS, isClosed, signOf, type Trade } from "../../src/core/performance/trade.js";
import { createTrades, type TradeBook, tradesOf, unrealisedOf } from "../../src/core/performance/trades.js";
import { Model } from "../fixtures/execution-model.js";
import { Scene } from "../fixtures/execution-scene.js";
import { sized } from "../fixtures/sizes.js";

const SEQUENCES = sized({ usual: 600, full: 2_000 });
const SYMBOLS = ["AAA", "COIN-USD"];
const anyCommands = fc.array(fc.array(fc.nat(9_999), { minLength: 10, maxLength: 10 }), {
  minLength: 40,
  maxLength: 100,
});

/** A book of trades, and what the events alone make of the account beside it. */
class Beside {
  readonly book: TradeBook = createTrades();
  readonly state: DeskState = createState();
  readonly #gains = new Map<string, number>();
  readonly #ended = new Map<string, string>();
  readonly #told = new Map<string, { list: readonly Trade[]; text: string }>();

  /** @returns what differs after the event, null where nothing does. */
  take(event: DeskEvent, marks: (symbol: string) => number): string | null {
    applyEvent(this.state, event);
    for (const { account, micros } of "legs" in event ? event.legs : []) {
      this.#gains.set(account, (this.#gains.get(account) ?? 0) - micros);
    }
    for (const trade of this.book.take(event)) {
      const wrong = fault(trade);
      if (wrong !== null) return `${wrong} of ${JSON.stringify(trade)}`;
      if (this.#ended.has(trade.id)) return `${trade.id} changed after its end`;
      if (isClosed(trade)) this.#ended.set(trade.id, JSON.stringify(trade));
    }
    for (const symbol of SYMBOLS) {
      const wrong = this.#unlikeBooks(symbol);
      if (wrong !== null) return `${symbol}: ${wrong}`;
    }
    const owed = this.equity(marks) - this.book.capital;
    const sum = this.result(marks);
    return sum === owed ? null : `trades come to ${sum}, the account to ${owed}`;
  }

  equity(marks: (symbol: string) => number): number {
    let equity = this.state.cash;
    for (const { symbol, quantity } of this.state.positions.values()) {
      equity += timesMicros(marks(symbol), quantity);
    }
    return equity;
  }

  /** What the trades say that the account gained. */
  result(marks: (symbol: string) => number): number {
    const net = this.book.trades.reduce((sum, trade) => sum + trade.net, this.book.interest);
    return SYMBOLS.reduce(
      (sum, symbol) => unrealisedOf(this.book.openOf(symbol), marks(symbol)).reduce((a, b) => a + b, sum),
      net,
    );
  }

  /** First in, first out and average cost differ in what is realised by as much as in what is open. */
  #unlikeBooks(symbol: string): string | null {
    const { quantity = 0, cost = 0 } = this.state.positions.get(symbol) ?? {};
    const open = this.book.openOf(symbol);
    if (this.book.countOf(symbol) !== open.length)
      return `${this.book.countOf(symbol)} counted of ${open.length}`;
    const held = open.reduce((sum, { openQuantity }) => sum + openQuantity, 0);
    if (Math.abs(held - Math.abs(quantity)) > 1e-9) return `${held} open of ${quantity}`;
    if (open.some((trade) => signOf(trade) * quantity <= 0)) return "a trade has the wrong side";
    if (open.some(isClosed)) return "a closed trade is told to be open";
    const told = this.#told.get(symbol);
    const text = JSON.stringify(open);
    this.#told.set(symbol, { list: open, text });
    if (told?.list === open && told.text !== text) return "the same list tells of other trades";
    const own = this.book.trades.filter((trade) => trade.symbol === symbol);
    const gross = own.reduce((sum, trade) => sum + trade.gross, 0);
    const paid = open.reduce((sum, trade) => sum + signOf(trade) * trade.openMicros, 0);
    const gain = this.#gains.get(`gain:${symbol}`) ?? 0;
    return gross - gain === paid - cost ? null : `${gross} realised, ${gain} in the books`;
  }

  /** Whether each trade is now as it was when it was closed. */
  isFinal(): boolean {
    return this.book.trades.every(
      (trade) => !isClosed(trade) || this.#ended.get(trade.id) === JSON.stringify(trade),
    );
  }
}

/** What is wrong with a trade by itself. */
function fault(trade: Trade): string | null {
  const { gross, fees, dividends, borrow, net, feesByKind, openMicros, openQuantity } = trade;
  if (gross - fees + dividends - borrow !== net) return "net";
  if (Object.values(feesByKind).reduce((sum, fee) => sum + fee, 0) !== fees) return "fees by kind";
  if (![gross, fees, dividends, borrow, net, openMicros].every(Number.isSafeInteger)) return "micros";
  if (trade.quantity <= 0 || openQuantity < 0 || openQuantity > trade.quantity) return "quantity";
  if (!isClosed(trade)) return trade.exitReason === null ? null : "reason";
  return openQuantity === 0 && openMicros === 0 && trade.closedAt >= trade.openedAt ? null : "end";
}

describe("the trades of a desk under random commands", () => {
  it(`sum to its equity after each event of ${SEQUENCES} sequences`, () => {
    const reasons: Record<string, number> = {};
    const seen = { partial: 0, doubtful: 0, short: 0, dividends: 0, borrow: 0, interest: 0, fees: 0 };
    let trades = 0;
    fc.assert(
      fc.property(fc.nat(9_999), anyCommands, (rules, commands) => {
        const model = new Model(rules, false);
        const beside = new Beside();
        const { book } = beside;
        let taken = 0;
        for (const command of commands) {
          const wrong = model.step(command);
          if (wrong !== null) throw new Error(wrong);
          const marks = (symbol: string) => model.markOf(symbol);
          for (; taken < model.events.length; taken++) {
            const event = model.events[taken];
            const differs = beside.take(event, marks);
            if (differs !== null) throw new Error(`${differs} after ${JSON.stringify(event)}`);
          }
          if (beside.equity(marks) !== model.desk.equity()) throw new Error("the desk has another equity");
        }
        // Half of them come to an end.
        if (rules % 2 === 0) {
          const paid = SYMBOLS.map((symbol) => {
            const price = { price: model.markOf(symbol), bid: null, ask: null, traded: false };
            return model.desk.settle(symbol, price, Number.MAX_SAFE_INTEGER).length === 0;
          });
          for (; taken < model.events.length; taken++) {
            const differs = beside.take(model.events[taken], (symbol) => model.markOf(symbol));
            if (differs !== null) throw new Error(`${differs} at the end`);
          }
          if (model.desk.atWork().length > 0) throw new Error("an order outlives its account");
          if (!paid.includes(false) && !book.trades.every(isClosed)) throw new Error("so does a trade");
        }
        if (!beside.isFinal()) throw new Error("a closed trade changed");
        if (new Set(book.trades.map(({ id }) => id)).size !== book.trades.length) throw new Error("ids");
        const batch = tradesOf(model.events);
        if (JSON.stringify(batch) !== JSON.stringify(book))
          throw new Error("the batch differs from the fold");
        trades += book.trades.length;
        if (book.interest !== 0) seen.interest++;
        for (const trade of book.trades) {
          if (trade.exitReason !== null) reasons[trade.exitReason] = (reasons[trade.exitReason] ?? 0) + 1;
          if (trade.exitPrice !== null && trade.closedAt === null) seen.partial++;
          if (trade.ambiguous) seen.doubtful++;
          if (trade.side === "short") seen.short++;
          if (trade.dividends !== 0) seen.dividends++;
          if (trade.borrow !== 0) seen.borrow++;
          if (trade.fees !== 0) seen.fees++;
        }
      }),
      { numRuns: SEQUENCES },
    );
    // Splits that leave nothing are rare; they have cases of their own.
    const common = EXIT_REASONS.filter((reason) => reason !== "split");
    expect(common.filter((reason) => reasons[reason] === undefined)).toEqual([]);
    expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
    expect(trades).toBeGreaterThan(SEQUENCES);
  }, 120_000);
});

/** Units with the entry that opened each, which exits take one by one: their own first, then what is oldest. */
class Units {
  readonly held: { entry: string; paid: number }[] = [];
  readonly gains: Record<string, number> = {};

  sell(quantity: number, price: number, own: string | null): void {
    for (let k = 0; k < quantity; k++) {
      const at = this.held.findIndex(({ entry }) => entry === own);
      const [unit] = this.held.splice(Math.max(0, at), 1);
      this.gains[unit.entry] = (this.gains[unit.entry] ?? 0) + price - unit.paid;
    }
  }

  get open(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { entry } of this.held) counts[entry] = (counts[entry] ?? 0) + 1;
    return counts;
  }
}

describe("trades whose exits name them", () => {
  it("give up the units that a list of single units would, with their gain", () => {
    const seen = { named: 0, legs: 0, others: 0 };
    for (let seed = 1; seed <= 150; seed++) {
      const rng = createRng(seed);
      const scene = new Scene({ capital: 1e6 });
      const units = new Units();
      const names = new Map<string, string | null>();
      let taken = 0;
      for (let step = 0; step < 60; step++) {
        const id = `o${step}`;
        const draw = rng.next();
        const entries = Object.keys(units.open);
        const named = entries.length > 0 && rng.next() < 0.6 ? entries[rng.below(entries.length)] : null;
        if (draw < 0.35) {
          const legs = { takeProfit: { limitPrice: 118 }, stopLoss: { stopPrice: 82, limitPrice: null } };
          const more =
            rng.next() < 0.5 ? {} : ({ orderClass: "bracket", timeInForce: "gtc", ...legs } as const);
          scene.submit({ id, quantity: 1 + rng.below(9), ...more });
          for (const leg of [`${id}/stop`, `${id}/target`]) names.set(leg, id);
        } else if (draw < 0.7) {
          const closes = named === null ? {} : { closes: named };
          scene.submit({ id, side: "sell", quantity: 1 + rng.below(7), ...closes });
          names.set(id, named);
        }
        const price = draw > 0.95 ? 120 : draw > 0.9 ? 80 : 90 + rng.below(20);
        scene.bar(price, price, price, price);
        for (; taken < scene.events.length; taken++) {
          const event = scene.events[taken];
          if (event.kind !== "order" || !("fill" in event)) continue;
          const { orderId, fill } = event;
          const own = names.get(orderId);
          if (own === undefined) {
            for (let k = 0; k < fill.quantity; k++) units.held.push({ entry: orderId, paid: fill.price });
            continue;
          }
          seen[own === null ? "others" : orderId.includes("/") ? "legs" : "named"]++;
          units.sell(fill.quantity, fill.price, own);
        }
        const { trades } = tradesOf(scene.events);
        const open = trades.filter((trade) => !isClosed(trade));
        expect(Object.fromEntries(open.map(({ id: own, openQuantity }) => [own, openQuantity]))).toEqual(
          units.open,
        );
        const wrong = trades.filter(({ id: own, gross }) => gross !== (units.gains[own] ?? 0) * 1e6);
        expect(wrong).toEqual([]);
      }
    }
    expect(Object.values(seen).filter((count) => count < 100)).toEqual([]);
  }, 60_000);
});

describe("shareOut", () => {
  it("gives parts that sum to the whole, each within a micro of its share", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 30 }),
        (micros, weights) => {
          const parts = shareOut(micros, weights);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(micros);
          const whole = weights.reduce((sum, weight) => sum + weight, 0);
          if (whole === 0) return;
          for (const [k, part] of parts.entries()) {
            expect(Math.abs(part - (micros * weights[k]) / whole)).toBeLessThan(1 + weights.length);
          }
        },
      ),
    );
  });
});
