import { cashOf } from "../../core/execution/account.js";
import { totalOf } from "../../core/execution/commission.js";
import type { DeskEvent, FilledChange, OrderEvent } from "../../core/execution/events.js";
import { fromMicros, roundQuantity } from "../../core/execution/money.js";
import { applyEvent, createState, type DeskState } from "../../core/execution/state.js";
import { classifySymbol } from "../../core/market/instrument.js";
import type { OrderCause } from "../../features/paper-trades/cause.js";
import type { AccountRow, WrittenEvent } from "../../features/paper-trades/store.js";
import { uuidOf } from "../../platform/uuid.js";
import { dateAt, fillRef } from "./activities.js";
import { postingTold, type Told } from "./activity-postings.js";
import type { ActivityEvent } from "./activity-schema.js";
import { datesAround } from "./calendar.js";
import { amountWire, decimalWire, wireId } from "./order-views.js";
import { idOf, wireSymbol } from "./symbols.js";
import { rfc3339 } from "./times.js";
import { ulidOf } from "./ulid.js";

/** Events of an account, oldest first, walked once: each is told as it was when it happened. */
export interface ActivityWalk {
  /** Events that have been walked. */
  seen(): number;
  /** Takes in events that follow, and says what those of them come to that moved something. */
  take(
    events: readonly DeskEvent[],
    moved: readonly WrittenEvent[],
    causes: ReadonlyMap<string, OrderCause>,
  ): ActivityEvent[];
}

type FillEvent = Extract<OrderEvent, FilledChange>;

/** @param timeMs when the newest event before the walk was written, epoch ms. */
export function createActivityWalk(
  { id, createdAt, rules }: Pick<AccountRow, "id" | "createdAt" | "rules">,
  timeMs: number,
): ActivityWalk {
  const state = createState();
  let newest = timeMs;

  function tell(event: DeskEvent, written: number, told: readonly Told[]): ActivityEvent[] {
    // Also where the clock of the database was set back, ids ascend.
    newest = Math.max(newest, Math.round(written));
    return told.map((each, part) => ({
      event_id: ulidOf(newest, tailOf(createdAt, event.seq, part)),
      account_id: id,
      ref_id: uuidOf(`activity ${id} ${event.seq} ${part}`),
      status: "executed",
      at: rfc3339(event.at),
      executed_at: rfc3339(event.at),
      currency: rules.account.currency,
      ...each,
    }));
  }

  return {
    seen: () => state.seq,
    take(events, moved, causes) {
      const written = new Map(moved.map(({ seq, time }) => [seq, time]));
      return events.flatMap((event) => {
        const before = event.symbol === null ? undefined : state.positions.get(event.symbol)?.quantity;
        applyEvent(state, event);
        const time = written.get(event.seq);
        if (time === undefined) return [];
        if (event.kind === "account") return tell(event, time, postingTold(id, event, before ?? 0));
        return "fill" in event ? tell(event, time, [fillTold(state, event, causes)]) : [];
      });
    },
  };
}

const SEQ_BITS = 28n;
const PART_BITS = 4n;

/** Within a millisecond by account, since one takes the place of another, then by number. */
function tailOf(createdAt: number, seq: number, part: number): bigint {
  return (((BigInt(Math.round(createdAt)) << SEQ_BITS) | BigInt(seq)) << PART_BITS) | BigInt(part);
}

function fillTold(
  state: DeskState,
  { at, orderId, symbol, event, fill, legs }: FillEvent,
  causes: ReadonlyMap<string, OrderCause>,
): Told {
  const order = state.orders.get(orderId);
  const instrument = classifySymbol(symbol);
  const isCoin = instrument?.assetClass === "crypto";
  const whole = event === "filled" || order === undefined;
  return {
    ref_id: fillRef(fill.id),
    activity_type: "TRD",
    settle_date: isCoin ? dateAt(at) : datesAround(at).settled,
    qty: decimalWire(fill.quantity),
    price: decimalWire(fill.price),
    net_amount: amountWire(fromMicros(cashOf(legs))),
    details: {
      execution_type: "fill",
      order_id: wireId(orderId),
      client_order_id: causes.get(orderId)?.clientOrderId ?? wireId(orderId),
      order_status: event,
      side: order?.side ?? "buy",
      symbol: instrument === null ? symbol : wireSymbol(instrument),
      asset_id: idOf(symbol),
      cum_qty: decimalWire(order?.filled ?? fill.quantity),
      leaves_qty: decimalWire(whole ? 0 : Math.max(0, roundQuantity(order.quantity - order.filled))),
      commission: amountWire(fromMicros(totalOf(fill.fees))),
    },
  };
}
