import type { Desk } from "../../core/execution/desk.js";
import { MICROS, roundQuantity } from "../../core/execution/money.js";
import { isTerminal } from "../../core/execution/states.js";
import type { AccountFacts } from "../../core/risk/limits.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { createIdempotency, type Idempotency } from "../../platform/idempotency.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Alerts } from "../alerts/alerts.js";
import type { PaperReader } from "../backtests/paper-record.js";
import type { Actions } from "../candles/actions.js";
import type { AdjustedCandles } from "../candles/adjusted.js";
import type { Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Risk } from "../risk/risk.js";
import { type Accounts, createAccounts, type WithLimits } from "./accounts.js";
import { type Book, createBook } from "./book.js";
import { createDays, type Days } from "./days.js";
import { accountFacts } from "./facts.js";
import { createFeed, type Feed } from "./feed.js";
import type { History } from "./history.js";
import { createLedger, type Ledger } from "./ledger.js";
import { createMatching, type Matching } from "./matching.js";
import { createNativeTrading, type NativeTrading } from "./native.js";
import { createDoOnce, type DoOnce } from "./once.js";
import type { ClosePart } from "./placing.js";
import { createPreviews, type Previews } from "./previews.js";
import { createPaperReader } from "./record.js";
import { createStandings, type Standings } from "./standings.js";
import { type AccountRow, createLedgerStore, type LedgerStore } from "./store.js";
import { createTrading, type Trading } from "./trading.js";
import { createTransfers, type Transfers } from "./transfers.js";

/** Paper accounts and everything that is done with them. */
export interface PaperDesk {
  readonly accounts: Accounts;
  readonly withLimits: WithLimits;
  readonly transfers: Transfers;
  readonly ledger: Ledger;
  /** When events of accounts were written, for those who take up where they were. */
  readonly written: Pick<LedgerStore, "loadMoved" | "loadWritten">;
  readonly book: Book;
  readonly trading: Trading;
  readonly native: NativeTrading;
  readonly matching: Matching;
  readonly days: Days;
  readonly standings: Standings;
  /** What limits of its owner are held against; null for a user without an account. */
  factsOf(userId: string, symbol: string): Promise<AccountFacts | null>;
  readonly feed: Feed;
  /** The moment of the market as a whole, which accounts are opened, told of and ended at; epoch ms. */
  marketNow(): number;
  readonly idempotency: Idempotency;
  readonly doOnce: DoOnce;
  readonly previews: Previews;
  /** Open positions of a user in a symbol, with their targets and stops. */
  heldBy(userId: string, symbol: string): Promise<readonly Held[]>;
  readonly loops: readonly LoopDefinition[];
  /** What backtests are held against. */
  readonly reader: PaperReader;
  /** Whoever's it is; null for none. */
  accountById(id: string): Promise<AccountRow | null>;
  /** The account that is named, or the caller's usual one. @throws {AppError} `account_not_found`. */
  accountOf(userId: string, accountId: string | undefined): Promise<AccountRow>;
  /** @throws {AppError} `symbol_invalid`, `symbol_unknown`. */
  identify(text: string): string;
  /** What is to be closed: a position by its symbol, or what a trade opened. @throws {AppError} `trade_not_found`. */
  toClose(account: AccountRow, wanted: Wanted): Promise<{ symbol: string; part: ClosePart }>;
}

interface Wanted {
  readonly symbol?: string | undefined;
  readonly trade?: number | undefined;
  readonly quantity?: number | undefined;
}

export interface PaperDeskOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly leases: Leases;
  readonly gateway: Pick<Gateway, "replay" | "feedNowMs" | "marketNowMs" | "intervals" | "synthetic">;
  readonly quotes: Quotes;
  readonly adjusted: AdjustedCandles;
  readonly actions: Actions;
  readonly instruments: Instruments;
  readonly alerts: Pick<Alerts, "get">;
  /** Created later than the desk, which the risk of an account asks for its facts. */
  readonly risk: () => Risk;
  readonly startingCash: number;
  readonly now: () => number;
  readonly log: Log;
}

export function createPaperDesk(options: PaperDeskOptions): PaperDesk {
  const { database, gateway, instruments } = options;
  const { synthetic } = gateway;
  const store = createLedgerStore(database);
  const ledger = createLedger({ ...options, store });
  const feed = createFeed(options);
  const parts = { ...options, store, ledger, feed, synthetic };
  const marketNow = () => gateway.marketNowMs();
  const days = createDays(parts);
  const standings = createStandings({ days });
  const settings: Pick<Risk["settings"], "load"> = { load: (userId) => options.risk().settings.load(userId) };
  const matching = createMatching({ ...parts, settings, standings });
  const accounts = createAccounts({ ...parts, matching, standings, now: marketNow });
  const trading = createTrading({ ...parts, standings, settings, matching });
  const book = createBook({ ...parts, matching });
  const idempotency = createIdempotency(database);
  const withLimits: WithLimits = async (userId, accountId) => {
    const known = options.risk().settings;
    const { row, kept } = await accounts.withSetting(userId, accountId, known.nameOf(userId));
    return { row, settings: known.from(kept) };
  };
  const risk: Pick<Risk, "redeem" | "examine"> = {
    redeem: (...given) => options.risk().redeem(...given),
    examine: (...given) => options.risk().examine(...given),
  };
  return {
    accounts,
    withLimits,
    accountById: store.find,
    transfers: createTransfers(parts),
    ledger,
    written: store,
    book,
    trading,
    native: createNativeTrading({ ...parts, withLimits, trading, risk }),
    matching,
    days,
    standings,
    feed,
    marketNow,
    idempotency,
    doOnce: createDoOnce(idempotency),
    previews: createPreviews(database, options.now),
    async factsOf(userId, symbol) {
      const account = await accounts.existing(userId);
      if (account === null) return null;
      const instrument = await instruments.resolve(symbol);
      const [day, allowed] = await Promise.all([
        standings.today(account, await feed.clock(instrument)),
        settings.load(userId),
      ]);
      const { stop_loss_percentage: stopPercent } = allowed;
      return book.look(account, (desk, found) => accountFacts(desk, found, symbol, day, stopPercent));
    },
    async heldBy(userId, symbol) {
      const account = await accounts.existing(userId);
      return account === null
        ? []
        : ledger.look(account.id, (desk, { history }) => heldIn(desk, history, symbol));
    },
    loops: [matching.loop, pruning(idempotency)],
    reader: createPaperReader({ accounts, ledger }),
    accountOf: (userId, id) => (id === undefined ? accounts.usual(userId) : accounts.find(userId, id)),
    identify: (text) => instruments.identify(text).symbol,
    async toClose(account, { symbol, trade: id, quantity = null }) {
      if (id === undefined) {
        if (symbol === undefined) throw new AppError("invalid_request", "body: needs symbol or trade_id");
        return { symbol, part: quantity === null ? { kind: "all" } : { kind: "quantity", quantity } };
      }
      const { trade } = await book.trade(account, id);
      if (trade.openQuantity === 0) throw new AppError("position_not_found", `Trade ${id} is closed`);
      return { symbol: trade.symbol, part: { kind: "trade", id, quantity } };
    },
  };
}

/** A position as signals know it. */
export interface Held {
  readonly direction: 1 | -1;
  readonly entry: number;
  readonly stop: number | null;
  readonly target: number | null;
  readonly quantity: number;
  readonly openedAt: number;
}

function heldIn(desk: Desk, { trades }: History, symbol: string): Held[] {
  const position = desk.state.positions.get(symbol);
  const [first] = trades.openOf(symbol);
  if (position === undefined || first === undefined) return [];
  const { quantity, cost } = position;
  const closing = desk.working(symbol).filter(({ state }) => !isTerminal(state));
  const priceOf = (role: "stop" | "target") => closing.find((order) => order.role === role);
  return [
    {
      direction: quantity > 0 ? 1 : -1,
      entry: roundQuantity(cost / quantity / MICROS),
      stop: priceOf("stop")?.stopPrice ?? null,
      target: priceOf("target")?.limitPrice ?? null,
      quantity: Math.abs(quantity),
      openedAt: first.openedAt,
    },
  ];
}

/** Keys of calls are kept for a week. */
const KEY_MS = 7 * 86_400_000;

function pruning(idempotency: Idempotency): LoopDefinition {
  return {
    name: "idempotency-keys",
    everyMs: () => 3_600_000,
    timeoutMs: 30_000,
    run: async () => {
      await idempotency.prune(KEY_MS);
    },
  };
}
