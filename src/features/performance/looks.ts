import { LRUCache } from "lru-cache";
import { hash32 } from "../../core/base/rng.js";
import { cashOf } from "../../core/execution/account.js";
import { fromMicros } from "../../core/execution/money.js";
import { DAY_MS } from "../../core/market/day.js";
import { type Calendar, calendarOf, tradingDay } from "../../core/market/session.js";
import type { Zone } from "../../core/market/zone.js";
import { type Attribution, attribute } from "../../core/performance/attribution.js";
import { type Comparison, compareReturns } from "../../core/performance/benchmark.js";
import { careerOf } from "../../core/performance/career.js";
import type { Causes } from "../../core/performance/cause.js";
import type { EquityDays } from "../../core/performance/equity.js";
import { type Forecast, forecastEquity } from "../../core/performance/forecast.js";
import { flowsOf, type MoneyWeighted, moneyWeighted } from "../../core/performance/money-weighted.js";
import {
  type Annualisation,
  type DailyReturns,
  type Drawdown,
  dailyReturns,
  type Exposure,
  exposureShares,
  maxDrawdown,
  type Performance,
  performanceOf,
  returnsOfCloses,
} from "../../core/performance/returns.js";
import { type ClosedTrade, isClosed, type Trade } from "../../core/performance/trade.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import { zoneOfAccount } from "../paper-trades/account-day.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import type { History } from "../paper-trades/history.js";
import type { AccountRow } from "../paper-trades/store.js";
import type { Risk } from "../risk/risk.js";

/** An account's trades, those of a number of days or all; of nobody while the caller has no account. */
export interface TradesLook {
  readonly account: AccountRow | null;
  /** Opened at any time: closed since, or open now. */
  readonly trades: readonly Trade[];
  readonly closed: readonly ClosedTrade[];
  readonly causes: Causes;
  readonly zone: Zone;
  /** What is open gains at the prices of now, by trade; micros. */
  readonly unrealised: ReadonlyMap<Trade, number>;
  /** Received less paid within those days; micros. */
  readonly interest: number;
  readonly equity: number;
  readonly capital: number;
}

/** What a trader did in all. */
export type Career = Pick<TradesLook, "trades" | "causes" | "zone">;

export interface PerformanceLook {
  readonly account: AccountRow;
  readonly days: EquityDays;
  readonly returns: DailyReturns;
  readonly figures: Performance;
  readonly drawdown: Drawdown;
  readonly exposure: Exposure;
  readonly money: MoneyWeighted;
  readonly year: Annualisation;
  readonly benchmark: {
    readonly symbol: string;
    readonly comparison: Comparison | null;
    readonly reason: string | null;
  };
  readonly unpriced: readonly string[];
}

/** What accounts did, as the caller asks for it. */
export interface AccountLooks {
  trades(userId: string, accountId: string | undefined, days: number | null): Promise<TradesLook>;
  /** Of one account, or of all that the user has and had, as if they were one; what was imported counts in its own alone. */
  career(userId: string, accountId: string | undefined): Promise<Career>;
  attribution(
    userId: string,
    accountId: string | undefined,
    days: number | null,
  ): Promise<Attribution & { look: TradesLook }>;
  /** Null while the caller has no account. */
  performance(
    userId: string,
    accountId: string | undefined,
    days: number | null,
    benchmark: string | null,
  ): Promise<PerformanceLook | null>;
  /** Of the account, or of the price of a symbol. @returns the value now and the lines from here. */
  forecast(
    userId: string,
    accountId: string | undefined,
    symbol: string | null,
    days: number,
  ): Promise<{ now: number | null; forecast: Forecast; days: number }>;
}

export interface AccountLookOptions {
  readonly paper: Pick<PaperDesk, "accounts" | "book" | "days" | "ledger">;
  readonly candles: Pick<CandleService, "loadLatest" | "loadRange">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly risk: Pick<Risk, "settings">;
  readonly now: () => number;
}

/** Days of closes that a forecast of a price draws from. */
const PRICE_DAYS = 504;
const YEAR_DAYS: Readonly<Record<string, number>> = { "24x7": 365 };
const BENCHMARKS: Readonly<Record<string, string>> = {
  XNYS: "SPY",
  XNSE: "^NSEI",
  "24x7": "BTC-USD",
  FX: "SPY",
};

export function createAccountLooks(options: AccountLookOptions): AccountLooks {
  const { paper, now } = options;

  /** Trades of accounts as of an event, by period: the same lists again while nothing happens. */
  const known = new LRUCache<string, Chosen>({ max: 200 });

  const accountOf = (userId: string, id: string | undefined) =>
    id === undefined ? paper.accounts.existing(userId) : paper.accounts.find(userId, id);

  async function trades(
    userId: string,
    accountId: string | undefined,
    days: number | null,
  ): Promise<TradesLook> {
    const account = await accountOf(userId, accountId);
    if (account === null) return noAccount();
    const nowMs = now();
    const since = days === null ? Number.NEGATIVE_INFINITY : nowMs - days * DAY_MS;
    return paper.book.look(account, (desk, { history, causes }) => {
      const { capital } = history.trades;
      const minute = days === null ? "all" : `${days} ${Math.floor(nowMs / 60_000)}`;
      const key = `${account.id} ${history.events.length} ${minute}`;
      const found = known.get(key) ?? chosen(history, since);
      known.set(key, found);
      const { wanted, closed, interest } = found;
      const open = wanted.filter((trade) => !isClosed(trade));
      const unrealised = new Map(open.map((trade) => [trade, paper.book.unrealisedOf(desk, history, trade)]));
      return {
        account,
        trades: wanted,
        closed,
        causes,
        zone: zoneOfAccount(account.rules.account.currency),
        unrealised,
        interest,
        equity: desk.equity(),
        capital,
      };
    });
  }

  const tools = { ...options, accountOf };
  return {
    trades,
    career: async (userId, accountId) =>
      accountId === undefined ? careerOfUser(paper, userId) : trades(userId, accountId, null),
    async attribution(userId, accountId, days) {
      const look = await trades(userId, accountId, days);
      const valued = look.trades.map((trade) => ({
        ...trade,
        net: trade.net + (look.unrealised.get(trade) ?? 0),
      }));
      return { ...attribute(valued, look.causes, look.interest), look };
    },
    performance: createPerformanceLook(tools),
    forecast: createForecastLook(tools),
  };
}

async function careerOfUser(
  { accounts, ledger }: Pick<PaperDesk, "accounts" | "ledger">,
  userId: string,
): Promise<Career> {
  const rows = await accounts.list(userId);
  const [newest] = rows;
  if (newest === undefined) return noAccount();
  const found = await Promise.all(
    rows
      .toReversed()
      .map((row) =>
        ledger.look(
          row.id,
          (_desk, { history, causes }) => ({ trades: [...history.trades.trades], causes }),
          row,
        ),
      ),
  );
  const causes = new Map(found.flatMap((account) => [...account.causes]));
  const own = found.map(({ trades }) =>
    trades.filter(({ orderId }) => causes.get(orderId)?.origin !== "import"),
  );
  const usual = (await accounts.existing(userId)) ?? newest;
  return { trades: careerOf(own), causes, zone: zoneOfAccount(usual.rules.account.currency) };
}

type Tools = AccountLookOptions & {
  readonly accountOf: (userId: string, id: string | undefined) => Promise<AccountRow | null>;
};

function createPerformanceLook({
  paper,
  candles,
  instruments,
  risk,
  now,
  accountOf,
}: Tools): AccountLooks["performance"] {
  async function closesOf(
    symbol: string,
    fromMs: number,
  ): Promise<{ symbol: string; returns: DailyReturns }> {
    const instrument = await instruments.resolve(symbol);
    const set = await candles.loadRange(instrument, "1d", fromMs, now());
    return { symbol: instrument.symbol, returns: returnsOf(set.candles, calendarOf(instrument.calendar)) };
  }

  async function compare(wanted: string, own: DailyReturns, year: Annualisation) {
    const from = (own.day[0] ?? 0) * DAY_MS - 7 * DAY_MS;
    try {
      const { symbol, returns } = await closesOf(wanted, from);
      return { symbol, comparison: compareReturns(own, returns, year), reason: null };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return { symbol: wanted, comparison: null, reason: error.message };
    }
  }

  return async (userId, accountId, days, wanted) => {
    const account = await accountOf(userId, accountId);
    if (account === null) return null;
    const { calendar, days: all, unpriced } = await paper.days.load(account, now());
    const settings = await risk.settings.load(userId);
    const year = { days: YEAR_DAYS[calendar.id] ?? 252, riskFree: settings.risk_free_rate / 100 };
    const shown = days === null ? all : since(all, tradingDay(calendar, now() - days * DAY_MS));
    const returns = dailyReturns(shown);
    const benchmark = await compare(wanted ?? BENCHMARKS[calendar.id] ?? "SPY", returns, year);
    return {
      account,
      days: shown,
      returns,
      figures: performanceOf(returns, year),
      drawdown: maxDrawdown(returns),
      exposure: exposureShares(shown),
      money: moneyWeighted(flowsOf(shown)),
      year,
      benchmark,
      unpriced,
    };
  };
}

function createForecastLook({
  paper,
  candles,
  instruments,
  now,
  accountOf,
}: Tools): AccountLooks["forecast"] {
  return async (userId, accountId, symbol, days) => {
    if (symbol !== null) {
      const instrument = await instruments.resolve(symbol);
      const calendar = calendarOf(instrument.calendar);
      const { candles: bars } = await candles.loadLatest(instrument, "1d", PRICE_DAYS);
      const last = bars.close.at(-1) ?? null;
      const terms = {
        days: sessionsWithin(calendar, now(), days),
        seed: hash32(`forecast ${instrument.symbol} ${bars.time.at(-1) ?? 0}`),
      };
      return {
        now: last,
        forecast: forecastEquity(returnsOf(bars, calendar), last ?? 0, terms),
        days: terms.days,
      };
    }
    const account = await accountOf(userId, accountId);
    if (account === null) return { now: null, forecast: { value: null, reason: NO_ACCOUNT_REASON }, days };
    const { calendar, days: all } = await paper.days.load(account, now());
    const equity = fromMicros(await paper.book.look(account, (desk) => desk.equity()));
    const terms = {
      days: sessionsWithin(calendar, now(), days),
      seed: hash32(`forecast ${account.id} ${all.day.at(-1) ?? 0}`),
    };
    return { now: equity, forecast: forecastEquity(dailyReturns(all), equity, terms), days: terms.days };
  };
}

export const NO_ACCOUNT_REASON = "there is no paper account yet";

const noAccount = (): TradesLook => ({
  account: null,
  trades: [],
  closed: [],
  causes: new Map(),
  zone: zoneOfAccount("USD"),
  unrealised: new Map(),
  interest: 0,
  equity: 0,
  capital: 0,
});

interface Chosen {
  readonly wanted: readonly Trade[];
  readonly closed: readonly ClosedTrade[];
  readonly interest: number;
}

/** Trades that were not closed before an instant, and interest since. */
function chosen({ trades: { trades }, postings }: History, since: number): Chosen {
  const wanted = trades.filter((trade) => (trade.closedAt ?? Number.POSITIVE_INFINITY) >= since);
  let interest = 0;
  for (const { event, at, legs } of postings) {
    if (event === "interest" && at >= since) interest += cashOf(legs);
  }
  return { wanted, closed: wanted.filter(isClosed), interest };
}

function returnsOf(
  { time, close }: { time: Float64Array; close: Float64Array },
  calendar: Calendar,
): DailyReturns {
  return returnsOfCloses({ day: Float64Array.from(time, (each) => tradingDay(calendar, each)), close });
}

/** Sessions that open within a number of days from now, at least one. */
function sessionsWithin({ open }: Calendar, nowMs: number, days: number): number {
  return Math.max(1, open.filter((at) => at > nowMs && at <= nowMs + days * DAY_MS).length);
}

/** The days from one on; what there was the day before is what is paid in on the first. */
function since(days: EquityDays, from: number): EquityDays {
  const first = days.day.findIndex((day) => day >= from);
  if (first <= 0) return days;
  const cut = (column: Float64Array) => column.slice(first);
  const paidIn = cut(days.paidIn);
  if (paidIn.length > 0) paidIn[0] += days.equity[first - 1];
  return {
    day: cut(days.day),
    equity: cut(days.equity),
    cash: cut(days.cash),
    paidIn,
    paidOut: cut(days.paidOut),
    long: cut(days.long),
    short: cut(days.short),
    carried: days.carried.slice(first),
  };
}
