import type { z } from "zod";
import { fromMicros } from "../../core/execution/money.js";
import { dateOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import { HALT_USER, termsOf } from "../../features/paper-trades/accounts.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { AccountRow } from "../../features/paper-trades/store.js";
import type {
  accountSchema,
  configurationBody,
  configurationSchema,
  portfolioQuery,
  portfolioSchema,
} from "./account-schema.js";
import { type Activity, type ActivityFilter, activitiesOf } from "./activities.js";
import { exchange } from "./calendar.js";
import { DialectError } from "./errors.js";
import { amountWire } from "./order-views.js";
import { portfolioHistory } from "./portfolio-history.js";
import { rfc3339 } from "./times.js";

type Configuration = z.input<typeof configurationSchema>;

/** A user's account in the words of the dialect. */
export interface Accounts {
  get(userId: string): Promise<z.input<typeof accountSchema>>;
  configuration(userId: string): Promise<Configuration>;
  /** `suspend_trade` is the kill switch; the rest stands as the account was opened. @throws {DialectError} 422. */
  configure(userId: string, changes: z.output<typeof configurationBody>): Promise<Configuration>;
  activities(userId: string, filter: ActivityFilter): Promise<Activity[]>;
  history(userId: string, query: z.output<typeof portfolioQuery>): Promise<z.input<typeof portfolioSchema>>;
}

export interface AccountsOptions {
  readonly paper: Pick<PaperDesk, "accounts" | "book" | "ledger" | "days" | "standings">;
  readonly now: () => number;
}

export function createAccountViews({ paper, now }: AccountsOptions): Accounts {
  const { accounts, book, ledger, days, standings } = paper;

  return {
    async get(userId) {
      const row = await accounts.usual(userId);
      const [portfolio, day] = await Promise.all([book.portfolio(row), standings.today(row, now())]);
      return accountWire(
        portfolio.row,
        portfolio.standing,
        { equity: lastEquity(portfolio.capital, day.startEquity), maintenance: day.startMaintenance },
        now(),
      );
    },
    configuration: async (userId) => configurationWire(await accounts.usual(userId)),
    async configure(userId, changes) {
      const row = await accounts.usual(userId);
      const known: Record<string, unknown> = { ...configurationWire(row) };
      for (const [name, value] of Object.entries(changes)) {
        if (name === "suspend_trade" || known[name] === value) continue;
        throw new DialectError(422, {
          code: 42210000,
          message: `${name} cannot be changed of an open account`,
        });
      }
      if (changes.suspend_trade === true) await accounts.halt(userId, row.id);
      if (changes.suspend_trade === false && row.halt === HALT_USER) await accounts.resume(userId, row.id);
      return configurationWire(await accounts.find(userId, row.id));
    },
    async activities(userId, filter) {
      const row = await accounts.usual(userId);
      return ledger.look(row.id, (desk, { history }) => activitiesOf(history, desk.state.orders, filter));
    },
    async history(userId, query) {
      const row = await accounts.usual(userId);
      // Where a market runs by another clock, the account began by that.
      const told = await ledger.look(row.id, (_desk, { history }) => ({
        row,
        openedAt: history.events[0]?.at ?? row.openedAt,
        postings: [...history.postings],
      }));
      return portfolioHistory(days, told, query, now());
    },
  };
}

function configurationWire(row: AccountRow): Configuration {
  const { leverage, shorting } = termsOf(row);
  return {
    dtbp_check: "entry",
    fractional_trading: true,
    max_margin_multiplier: String(leverage),
    max_options_trading_level: 0,
    no_shorting: !shorting,
    pdt_check: "entry",
    ptp_no_exception_entry: false,
    suspend_trade: row.halt === HALT_USER,
    trade_confirm_email: "none",
    disable_overnight_trading: false,
  };
}

/** Equity at the close before, in the account's currency; on an account's first day what was paid in. */
const lastEquity = (capital: number, startEquity: number | null) => startEquity ?? fromMicros(capital);

type Standing = Awaited<ReturnType<PaperDesk["book"]["portfolio"]>>["standing"];

function accountWire(
  row: AccountRow,
  standing: Standing,
  before: { readonly equity: number; readonly maintenance: number | null },
  nowMs: number,
): z.input<typeof accountSchema> {
  const money = (micros: number) => amountWire(fromMicros(micros));
  const { leverage, shorting } = termsOf(row);
  const power = money(standing.buyingPower);
  const equity = money(standing.equity);
  const free = money(standing.cashPower);
  return {
    id: row.id,
    account_number: `PA${row.id.replaceAll("-", "").slice(0, 10).toUpperCase()}`,
    status: row.closedAt === null ? "ACTIVE" : "ACCOUNT_CLOSED",
    crypto_status: "ACTIVE",
    currency: row.rules.account.currency,
    cash: money(standing.cash),
    buying_power: power,
    regt_buying_power: power,
    daytrading_buying_power: "0",
    non_marginable_buying_power: free,
    options_buying_power: free,
    options_approved_level: 0,
    options_trading_level: 0,
    equity,
    last_equity: amountWire(before.equity),
    portfolio_value: equity,
    long_market_value: money(standing.longValue),
    short_market_value: money(standing.shortValue),
    initial_margin: money(standing.initialMargin),
    maintenance_margin: money(standing.maintenanceMargin),
    ...(before.maintenance === null ? {} : { last_maintenance_margin: amountWire(before.maintenance) }),
    sma: "0",
    multiplier: String(leverage),
    shorting_enabled: shorting,
    trading_blocked: row.halt !== null && row.halt !== HALT_USER,
    transfers_blocked: false,
    account_blocked: row.closedAt !== null,
    trade_suspended_by_user: row.halt === HALT_USER,
    pattern_day_trader: false,
    daytrade_count: 0,
    created_at: rfc3339(row.openedAt),
    balance_asof: dateOf(tradingDay(exchange(), nowMs)),
    accrued_fees: "0",
    pending_transfer_in: "0",
    pending_transfer_out: "0",
    pending_reg_taf_fees: "0",
    intraday_adjustments: "0",
  };
}
