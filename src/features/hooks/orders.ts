import { MICROS } from "../../core/execution/money.js";
import { AppError } from "../../platform/errors.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import { tradedOf } from "../instruments/traded.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import { entryTerms } from "../paper-trades/native.js";
import type { OrderNow } from "../paper-trades/placing.js";
import { opens, unitsOf } from "../paper-trades/placing.js";
import type { AccountRow } from "../paper-trades/store.js";
import type { Sealing } from "../paper-trades/trading.js";
import type { CallStore, HookCall, Outcome } from "./call-store.js";
import type { Command } from "./command.js";
import type { Hook } from "./store.js";

/** What the hook itself does not allow, or a command lacks. */
export class HookRefusal extends Error {
  override readonly name = "HookRefusal";
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

export interface HookOrders {
  /**
   * Does what a call asks of the account of its hook.
   * @param sealWith keeps what the call ended with, in the transaction that does it.
   * @throws HookRefusal; {AppError} as paper orders do.
   */
  perform(hook: Hook, call: HookCall, command: Command, sealWith: SealWith): Promise<void>;
}

export type SealWith = (outcomeOf: (placed: OrderNow) => Outcome) => Sealing<OrderNow>;
type EntryCommand = Extract<Command, { kind: "order" }>;

export interface HookOrderOptions {
  readonly paper: Pick<PaperDesk, "withLimits" | "trading" | "ledger" | "book" | "feed">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly callStore: Pick<CallStore, "opened">;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;

export function createHookOrders({ paper, instruments, callStore, now }: HookOrderOptions): HookOrders {
  async function sizeOf(
    row: AccountRow,
    instrument: KnownInstrument,
    { size, stop }: EntryCommand,
    price: number | null,
  ): Promise<number> {
    if ("units" in size) return size.units;
    if (price === null)
      throw new HookRefusal("price_unknown", `No source has a price of ${instrument.symbol}`);
    const risked = Math.abs(price - (stop ?? price));
    if (risked === 0) throw new HookRefusal("stop_invalid", `The stop is at the price of now, ${price}`);
    const equity = await paper.book.look(row, (desk) => desk.standing().equity / MICROS);
    const units = Math.max(0, (equity * size.riskPercent) / 100 / risked);
    const quantity = unitsOf(tradedOf(instrument), units);
    if (quantity > 0) return quantity;
    throw new HookRefusal(
      "quantity_zero",
      `${size.riskPercent} percent of ${equity} is less than one unit risks`,
    );
  }

  /** @throws HookRefusal for an order that opens something beyond the limits of the hook. */
  async function requireWithin(hook: Hook, quantity: number, price: number | null): Promise<void> {
    const { maxOrderValue, maxOrdersADay } = hook;
    if (maxOrderValue !== null) {
      if (price === null)
        throw new HookRefusal("price_unknown", "No source has a price to hold the limit against");
      const value = quantity * price;
      if (value > maxOrderValue) {
        const detail = `The order is worth ${value}, and those of the hook may be worth ${maxOrderValue}`;
        throw new HookRefusal("order_value_exceeded", detail);
      }
    }
    if (maxOrdersADay === null) return;
    const day = Math.floor(now() / DAY_MS) * DAY_MS;
    const count = await callStore.opened(hook.id, day);
    if (count < maxOrdersADay) return;
    throw new HookRefusal("orders_a_day_exceeded", `The hook has placed ${count} orders in this UTC day`);
  }

  return {
    async perform(hook, call, command, sealWith) {
      const { row, settings } = await paper.withLimits(hook.userId, hook.accountId ?? undefined);
      const instrument = await instruments.resolve(command.symbol);
      const { symbol } = instrument;
      if (hook.symbols.length > 0 && !hook.symbols.includes(symbol)) {
        throw new HookRefusal("symbol_not_allowed", `${symbol} is not among the symbols of the hook`);
      }
      const placed = { status: "ordered", accountId: row.id } as const;
      if (command.kind === "close") {
        const { quantity } = command;
        const part =
          quantity === null ? ({ kind: "all" } as const) : ({ kind: "quantity", quantity } as const);
        const seal = sealWith(({ order }) => ({ ...placed, orderId: order.id, opens: false }));
        await paper.trading.closePosition(row, symbol, part, { seal });
        return;
      }
      const { side, limit, stop, target } = command;
      const price = limit ?? (await paper.feed.now(instrument)).quote?.price ?? null;
      const quantity = await sizeOf(row, instrument, command, price);
      const terms = entryTerms({ symbol, side, quantity, price: limit, stop, target });
      const opening = await paper.ledger.look(row.id, (desk) => opens(desk, terms), row);
      if (opening) await requireWithin(hook, quantity, price);
      const strategy = command.strategy ?? hook.name;
      const cause = { origin: "native", strategy, clientOrderId: orderNameOf(call) } as const;
      const seal = sealWith(({ order }) => ({ ...placed, orderId: order.id, opens: opening }));
      await paper.trading.submit(row, { terms, cause, settings }, seal);
    },
  };
}

/** The name that the order of a call has: one call, one order, whatever happens. */
export function orderNameOf({ id }: Pick<HookCall, "id">): string {
  return `hook-call-${id}`;
}

/** What a call is refused with; null where the error may pass, or is nobody's refusal. */
export function refusalOf(error: unknown): { code: string; detail: string } | null {
  if (error instanceof HookRefusal) return { code: error.code, detail: error.message };
  if (!(error instanceof AppError) || error.retryAfterS !== null) return null;
  return {
    code: error.problems.find(({ code }) => code !== undefined)?.code ?? error.code,
    detail: error.message,
  };
}
