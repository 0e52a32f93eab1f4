import { ensure } from "../../core/base/assert.js";
import { isTerminal } from "../../core/execution/states.js";
import { type Interval, parseInterval } from "../../core/market/interval.js";
import type { Principal } from "../../platform/http.js";
import { JOB_TOPIC, jobView } from "../../platform/jobs.js";
import type { Alerts } from "../alerts/alerts.js";
import { ALERT_TOPIC } from "../alerts/topics.js";
import { alertView } from "../alerts/views.js";
import type { Market } from "../candles/market.js";
import { candleListView, quoteView } from "../candles/views.js";
import type { Jobs } from "../jobs/jobs.js";
import type { PaperDesk } from "../paper-trades/feature.js";
import { ACCOUNT_TOPIC } from "../paper-trades/topics.js";
import { orderView, portfolioView } from "../paper-trades/views.js";
import type { Regimes } from "../regimes/regimes.js";
import { readingView } from "../regimes/views.js";
import { CANDLE_TOPIC, kindOf, PORTFOLIO_TOPIC, partsOf, QUOTE_TOPIC, REGIME_TOPIC } from "./topics.js";

const ALERTS = 50;
const BARS = 100;
const ORDERS = 500;
const REGIME_DAYS = 30;

export interface SnapshotParts {
  readonly alerts: Pick<Alerts, "listActive">;
  readonly market: Pick<Market, "loadBars" | "loadQuote">;
  readonly regimes: Pick<Regimes, "detect">;
  readonly jobs: Pick<Jobs, "get">;
  readonly paper: Pick<PaperDesk, "accountOf" | "book" | "marketNow">;
  readonly now: () => number;
}

/**
 * What is true of a topic now, for those who begin to listen; null for a topic without a snapshot.
 * @throws {AppError} where it cannot be had, as the REST route of the same thing.
 */
export type ReadSnapshot = (topic: string, principal: Principal) => Promise<unknown>;

export function createSnapshots({ alerts, market, regimes, jobs, paper, now }: SnapshotParts): ReadSnapshot {
  const readers: Readonly<
    Record<string, (parts: readonly string[], principal: Principal) => Promise<unknown>>
  > = {
    [ALERT_TOPIC]: async () => (await alerts.listActive(ALERTS)).map(alertView),
    [CANDLE_TOPIC]: async ([symbol, interval]) =>
      candleListView(await market.loadBars(symbol, intervalOf(interval), { period: "max" }, BARS)),
    [QUOTE_TOPIC]: async ([symbol]) => quoteView(await market.loadQuote(symbol)),
    [REGIME_TOPIC]: async ([symbol, interval]) =>
      readingView(await regimes.detect(symbol, intervalOf(interval), REGIME_DAYS, false), now()),
    [JOB_TOPIC]: async ([id], principal) => jobView((await jobs.get(principal, Number(id))).job),
    [ACCOUNT_TOPIC]: async ([id], { userId }) => {
      const account = await paper.accountOf(userId, id);
      const orders = await paper.book.orders(account, ({ state }) => !isTerminal(state), ORDERS);
      return orders.map(orderView);
    },
    [PORTFOLIO_TOPIC]: async ([id], { userId }) =>
      portfolioView(await paper.book.portfolio(await paper.accountOf(userId, id)), paper.marketNow()),
  };
  return async (topic, principal) => {
    const kind = kindOf(topic);
    return kind?.snapshot == null ? null : readers[kind.name](partsOf(topic), principal);
  };
}

function intervalOf(text: string | undefined): Interval {
  return ensure(parseInterval(text ?? ""), "topics have been read");
}
