import { onTick, type Traded } from "../../core/execution/instrument.js";
import type { Candles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { findVariant } from "../../core/patterns/index.js";
import {
  type AccountFacts,
  checkOrder,
  type HistoryFacts,
  type OrderCheck,
  type PlannedOrder,
  UNKNOWN_ACCOUNT,
} from "../../core/risk/limits.js";
import { newestRange } from "../../core/signals/ranges.js";
import type { Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import type { PricedQuote, Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import { tradedIfAny } from "../instruments/traded.js";
import type { Confirmations, ConfirmedOrder } from "./confirmation.js";
import { limitsOf, type RiskSettings, type RiskSettingsStore } from "./settings.js";
import { type PlannedSize, type SizePlan, sizePlan } from "./sizing.js";
import { type SpreadEstimate, spreadOf } from "./spread.js";
import type { RedemptionStore } from "./store.js";

/** An order that somebody means to give. */
export interface OrderPlan extends Omit<PlannedOrder, "entry" | "quantity"> {
  readonly quantity: number;
  readonly symbol: string;
  /** Null for the price now. */
  readonly entry: number | null;
  /** Variant of the pattern behind it, and the interval it was seen on. */
  readonly pattern: string | null;
  readonly interval: Interval;
  /** Equity as the caller has it; null for that of the account. */
  readonly equity: number | null;
  readonly ttlMs: number;
}

export interface PreTradeCheck {
  readonly instrument: KnownInstrument;
  readonly quote: PricedQuote;
  readonly order: ConfirmedOrder;
  /** Whether the order named its stop, or the settings place it; null without one. */
  readonly stopFrom: "order" | "settings" | null;
  /** Average true range of 14 daily bars; null with too few. */
  readonly range: number | null;
  readonly costs: SpreadEstimate;
  readonly history: HistoryFacts | null;
  readonly check: OrderCheck;
  /** Null for an order that is refused. */
  readonly confirmation: { readonly token: string; readonly expiresAt: number } | null;
}

export interface Risk {
  readonly settings: RiskSettingsStore;
  /** A symbol in its one spelling. @throws {AppError} `symbol_invalid`, `symbol_unknown`. */
  identify(text: string): string;
  /** @throws {AppError} `symbol_unknown`, `no_data`, `provider_unavailable`. */
  check(userId: string, plan: OrderPlan): Promise<PreTradeCheck>;
  /**
   * With the entry and the stop that it is of.
   * @throws {AppError} `invalid_request` where the method lacks what it needs; as quotes and candles do.
   */
  size(userId: string, plan: SizePlan): Promise<PlannedSize>;
  /**
   * Uses a confirmation up for one order, within a transaction where one is given. @returns the rules that were not looked at before it was issued.
   * @throws {AppError} `confirmation_refused` with the reason.
   */
  redeem(userId: string, token: string, order: ConfirmedOrder, sql?: Sql): Promise<readonly string[]>;
  /** Looks at a confirmation without using it. @throws {AppError} as `redeem` does. */
  examine(userId: string, token: string, order: ConfirmedOrder): Promise<void>;
}

/** Whoever knows how a pattern has done; null where too few cases tell. */
export type HistoryOf = (pattern: string, interval: Interval) => HistoryFacts | null;

export interface RiskOptions {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly quotes: Pick<Quotes, "load">;
  readonly instruments: Pick<Instruments, "resolve" | "identify">;
  readonly settings: RiskSettingsStore;
  readonly confirmations: Confirmations;
  readonly redemptions: RedemptionStore;
  readonly historyOf: HistoryOf;
  /** The paper account of a user; null while there is none. */
  readonly accountOf: (userId: string, symbol: string) => Promise<AccountFacts | null>;
}

const RANGE_BARS = 200;
const MINUTE_BARS = 51;

export function createRisk(options: RiskOptions): Risk {
  const { candles, quotes, instruments, settings, confirmations, redemptions } = options;

  /** Null where no source has such bars. */
  async function barsOf(
    instrument: KnownInstrument,
    interval: Interval,
    bars: number,
  ): Promise<Candles | null> {
    try {
      return (await candles.loadLatest(instrument, interval, bars)).candles;
    } catch (error) {
      if (error instanceof AppError && error.code !== "database_unavailable") return null;
      throw error;
    }
  }

  async function facts(instrument: KnownInstrument) {
    const [quote, daily, minutes] = await Promise.all([
      quotes.load(instrument),
      barsOf(instrument, "1d", RANGE_BARS),
      barsOf(instrument, "1m", MINUTE_BARS),
    ]);
    const range = daily === null ? null : newestRange(daily);
    return { quote, range, costs: spreadOf(quote, minutes) };
  }

  async function accountOf(userId: string, symbol: string, equity: number | null): Promise<AccountFacts> {
    const known = (await options.accountOf(userId, symbol)) ?? UNKNOWN_ACCOUNT;
    // What a caller says of the equity stands where nothing is known, and may only lower what is.
    return equity === null ? known : { ...known, equity: Math.min(equity, known.equity ?? equity) };
  }

  /** @throws {AppError} `confirmation_refused` for all but a token for this order that has not ended. */
  function genuine(userId: string, token: string, order: ConfirmedOrder) {
    const examined = confirmations.examine(token, userId, order);
    if (examined.refusal !== null) throw new AppError("confirmation_refused", examined.refusal);
    return examined;
  }

  return {
    settings,
    identify: (text) => instruments.identify(text).symbol,

    async check(userId, plan) {
      const instrument = await instruments.resolve(plan.symbol);
      const { symbol } = instrument;
      const [{ quote, range, costs }, allowed, account, history] = await Promise.all([
        facts(instrument),
        settings.load(userId),
        accountOf(userId, symbol, plan.equity),
        plan.pattern === null ? null : options.historyOf(plan.pattern, plan.interval),
      ]);
      const { side, quantity, target } = plan;
      const entry = plan.entry ?? quote.price;
      const traded = tradedIfAny(instrument);
      const stop = plan.stop ?? stopBySettings(allowed, side, entry, traded);
      const order = { symbol, side, quantity, stop, target, entry };
      const { price, stale, ageMs } = quote;
      const market = { price, stale, ageMs, range, ...costs };
      const expects = plan.pattern === null ? undefined : findVariant(plan.pattern)?.variant.direction;
      const check = checkOrder({ ...order, expects }, limitsOf(allowed), market, history, account, traded);
      const issue = () => confirmations.issue(userId, order, plan.ttlMs, check.unchecked);
      const confirmation = check.refusals.length === 0 ? issue() : null;
      const stopFrom = stop === null ? null : plan.stop === null ? "settings" : "order";
      return { instrument, quote, order, stopFrom, range, costs, history, check, confirmation };
    },

    async size(userId, plan) {
      return sizePlan(plan, await settings.load(userId), {
        priceOf: async (symbol) => (await quotes.load(await instruments.resolve(symbol))).price,
        tradedOf: async (symbol) => tradedIfAny(await instruments.resolve(symbol)),
        async rangeOf(symbol) {
          const daily = await barsOf(await instruments.resolve(symbol), "1d", RANGE_BARS);
          return daily === null ? null : newestRange(daily);
        },
      });
    },

    async examine(userId, token, order) {
      const { nonce } = genuine(userId, token, order);
      if (await redemptions.isRedeemed(nonce)) throw new AppError("confirmation_refused", "already_used");
    },

    async redeem(userId, token, order, sql) {
      const examined = genuine(userId, token, order);
      if (!(await redemptions.redeem(examined.nonce, userId, examined.expiresAt, sql))) {
        throw new AppError("confirmation_refused", "already_used");
      }
      return examined.unchecked;
    },
  };
}

/** Where the settings place the stop of an order that has none, on a tick; null where they place none. */
function stopBySettings(
  { enable_auto_stop_loss: places, stop_loss_percentage: percent }: RiskSettings,
  side: "buy" | "sell",
  entry: number,
  traded: Traded | null,
): number | null {
  if (!places) return null;
  const up = side === "buy" ? 1 : -1;
  const stop = entry * (1 - (up * percent) / 100);
  return traded === null ? stop : onTick(stop, traded, up === 1 ? -1 : 1);
}
