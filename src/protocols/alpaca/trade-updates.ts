import type { DeskEvent, OrderEvent } from "../../core/execution/events.js";
import { applyEvent, createState, type DeskState } from "../../core/execution/state.js";
import { classifySymbol } from "../../core/market/instrument.js";
import type { OrderCause } from "../../features/paper-trades/cause.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import { createHistory, type History } from "../../features/paper-trades/history.js";
import type { Log } from "../../platform/log.js";
import { uuidOf } from "../../platform/uuid.js";
import type { AccountNews } from "./account-news.js";
import { fillRef } from "./activities.js";
import { decimalWire, orderWire, wireId } from "./order-views.js";
import { rfc3339 } from "./times.js";
import type { TradeUpdate, TradeUpdates } from "./trade-stream.js";

/** What the dialect calls a change of an order; null for those that it does not tell of. */
function nameOf(event: OrderEvent): string | null {
  switch (event.event) {
    case "accepted":
      return "pending_new";
    case "opened":
    case "continued":
    case "released":
      return "new";
    case "partially_filled":
      return "partial_fill";
    case "filled":
      return "fill";
    case "canceled":
    case "expired":
    case "replaced":
    case "rejected":
      return event.event;
    default:
      return null;
  }
}

export interface TradeUpdatesOptions {
  readonly paper: Pick<PaperDesk, "accounts" | "ledger">;
  readonly news: AccountNews;
  readonly log: Log;
}

/**
 * Changes of the orders of a user's usual account, each once and in order, as the order was when it happened: every
 * subscriber walks the events of the account from where it began, and what is published only wakes it. Where another
 * account takes the place of the usual one, as by a reset, it is followed from its beginning.
 */
export function createTradeUpdates({ paper, news, log }: TradeUpdatesOptions): TradeUpdates {
  const { accounts, ledger } = paper;
  const warn = (account: string) => (error: unknown) =>
    log.warn({ err: error, account }, "trade updates were not told");

  /** @param since whether from its beginning, or from now on. @returns the function that ends it, once all is told. */
  async function follow(id: string, since: "beginning" | "now", listener: (update: TradeUpdate) => void) {
    let ended = false;
    const walk = createWalk(listener);
    const read = () =>
      ledger.look(id, (_desk, { history, causes }) => ({
        events: history.events.slice(walk.seen()),
        causes,
      }));
    if (since === "now") walk.skip(await read());
    let walking = Promise.resolve();
    const wake = () => {
      walking = walking
        .then(read)
        .then((told) => (ended ? undefined : walk.tell(told)))
        .catch(warn(id));
    };
    const deafen = news.onChange(id, wake);
    // What happened while it was being set up.
    wake();
    return {
      id,
      /** Resolves when what has happened is told. */
      told: () => walking,
      end() {
        ended = true;
        deafen();
      },
    };
  }

  return {
    async subscribe({ userId }, listener) {
      let ended = false;
      let followed = await follow((await accounts.usual(userId)).id, "now", listener);
      let moving = Promise.resolve();
      async function moveOn(): Promise<void> {
        const usual = await accounts.existing(userId);
        if (ended || usual === null || usual.id === followed.id) return;
        await followed.told();
        followed.end();
        followed = await follow(usual.id, "beginning", listener);
        if (ended) followed.end();
      }
      const move = () => {
        moving = moving.then(moveOn).catch(warn(followed.id));
      };
      const stay = news.onOpened(move);
      return () => {
        ended = true;
        stay();
        followed.end();
      };
    },
  };
}

interface News {
  readonly events: readonly DeskEvent[];
  readonly causes: ReadonlyMap<string, OrderCause>;
}

/** The orders of an account as they were after each event. */
function createWalk(listener: (update: TradeUpdate) => void) {
  const state = createState();
  const history = createHistory();
  const take = (event: DeskEvent) => {
    applyEvent(state, event);
    history.take(event);
  };
  return {
    seen: () => state.seq,
    skip: ({ events }: News) => events.forEach(take),
    tell({ events, causes }: News) {
      for (const event of events) {
        // Read again by a wake that came while another read.
        if (event.seq <= state.seq) continue;
        take(event);
        const update = event.kind === "order" ? updateOf(state, history, causes, event) : null;
        if (update !== null) listener(update);
      }
    },
  };
}

function updateOf(
  state: DeskState,
  history: History,
  causes: News["causes"],
  event: OrderEvent,
): TradeUpdate | null {
  const name = nameOf(event);
  const order = state.orders.get(event.orderId);
  const times = history.times.get(event.orderId);
  const instrument = classifySymbol(event.symbol);
  if (name === null || order === undefined || times === undefined || instrument === null) return null;
  const clientOrderId = causes.get(order.id)?.clientOrderId ?? wireId(order.id);
  const update = {
    event: name,
    timestamp: rfc3339(event.at),
    execution_id: uuidOf(`event ${order.id} ${event.seq}`),
    order: orderWire({ order: { ...order }, times, clientOrderId, instrument }, null),
  };
  if (!("fill" in event)) return update;
  const { fill } = event;
  return {
    ...update,
    execution_id: fillRef(fill.id),
    price: decimalWire(fill.price),
    qty: decimalWire(fill.quantity),
    position_qty: decimalWire(fill.position.quantity),
  };
}
