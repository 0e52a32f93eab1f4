import { assert } from "../src/core/base/assert.js";
import { createRng } from "../src/core/base/rng.js";
import { marginRules } from "../src/core/execution/account.js";
import { GTC_DAYS } from "../src/core/execution/context.js";
import { NO_COSTS } from "../src/core/execution/costs.js";
import { createDesk } from "../src/core/execution/desk.js";
import type { DeskEvent } from "../src/core/execution/events.js";
import { tradedShare } from "../src/core/execution/instrument.js";
import { termsOf } from "../src/core/execution/order.js";
import { calendarOf, sessionsBetween } from "../src/core/market/session.js";
import { dayAt } from "../src/core/market/zone.js";
import { achievementsOf, experienceOf, levelOf } from "../src/core/performance/achievements.js";
import { attribute } from "../src/core/performance/attribution.js";
import { compareReturns } from "../src/core/performance/benchmark.js";
import { type Causes, contributionsOf } from "../src/core/performance/cause.js";
import { createEquity, dailyEquity, exposureOf } from "../src/core/performance/equity.js";
import { forecastEquity, lossProbability } from "../src/core/performance/forecast.js";
import { flowsOf, moneyWeighted } from "../src/core/performance/money-weighted.js";
import {
  dailyReturns,
  exposureShares,
  maxDrawdown,
  performanceOf,
  returnsOfCloses,
} from "../src/core/performance/returns.js";
import { dailyRollups, strategyRollups, tradingDaysBy } from "../src/core/performance/rollups.js";
import {
  causeKey,
  hourKey,
  statisticsBy,
  statisticsOf,
  symbolKey,
} from "../src/core/performance/statistics.js";
import { streaksOf } from "../src/core/performance/streaks.js";
import { isClosed } from "../src/core/performance/trade.js";
import { tradesOf, unrealisedOf } from "../src/core/performance/trades.js";
import { type Bench, type Case, timeCases } from "./time.js";

const TRADES = 10_000;
const SYMBOLS = Array.from({ length: 20 }, (_, k) => `S${k}`);
const DAYS_SINCE = Date.UTC(2023, 0, 3);
const CALENDAR = calendarOf("XNYS");
const YEAR = { days: 252, riskFree: 0.02 };
const TARGET_MS = 300;
const TARGET_EVENT_US = 5;

export const bench: Bench = {
  name: "Performance",
  run() {
    const account = accountOf();
    const cases = casesOf(account);
    const { events } = account;
    const timings = timeCases(cases, 5);
    const figures = timings.map(({ name, minNs }) => ({ name, value: minNs / 1e6, unit: "ms" }));
    const all = figures.reduce((sum, { value }) => sum + value, 0);
    const eventUs = timings[0].minNs / events.length / 1e3;
    const eventTarget = { text: `<= ${TARGET_EVENT_US} us`, met: eventUs <= TARGET_EVENT_US };
    const target = { text: `<= ${TARGET_MS} ms`, met: all <= TARGET_MS };
    return [
      {
        row: "P1",
        title: `${TRADES} trades of an account`,
        notes: [],
        figures: [
          ...figures,
          { name: "all together", value: all, unit: "ms", target },
          { name: "a book takes an event in", value: eventUs, unit: "us", target: eventTarget },
        ],
      },
    ];
  },
};

interface Account {
  readonly events: readonly DeskEvent[];
  readonly closes: ReadonlyMap<string, { day: Float64Array; close: Float64Array }>;
  readonly causes: Causes;
  readonly until: number;
}

/** Every session some symbols are bought and sold again, at prices of random walks. */
function accountOf(): Account {
  const rng = createRng(7);
  const sessions = sessionsBetween(CALENDAR, DAYS_SINCE, DAYS_SINCE + 900 * 86_400_000).slice(0, 500);
  // About every other order closes what another one opened.
  const perDay = (2 * TRADES) / sessions.length;
  const events: DeskEvent[] = [];
  const rules = { account: marginRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS };
  const desk = createDesk(rules, SYMBOLS.map(tradedShare), (event) => events.push(event));
  desk.transfer(1_000_000, sessions[0].open);
  const prices = new Map(SYMBOLS.map((symbol) => [symbol, 100]));
  const closes = new Map(
    SYMBOLS.map((symbol) => {
      const day = Float64Array.from(sessions, ({ open }) => dayAt(CALENDAR.zone, open));
      return [symbol, { day, close: new Float64Array(sessions.length) }];
    }),
  );
  const causes = new Map();
  for (const [d, { open, close }] of sessions.entries()) {
    for (let k = 0; k < perDay; k++) {
      const symbol = SYMBOLS[k % SYMBOLS.length];
      const price = Math.round((prices.get(symbol) ?? 100) * Math.exp(0.01 * rng.normal()) * 100) / 100;
      prices.set(symbol, price);
      const id = `o${d}-${k}`;
      const side = rng.next() < 0.5 ? "buy" : "sell";
      const quote = (at: number) =>
        desk.quote(symbol, { time: at, price, bid: null, ask: null, regular: true });
      const at = open + k * 60_000;
      if (d === 0) desk.mark(symbol, price);
      desk.submit(termsOf({ id, symbol, side, quantity: 1 + rng.below(9) }), { at, open: true });
      quote(at + 1);
      const layers = contributionsOf([
        { name: "rules", value: rng.next(), weight: 0.5 },
        { name: "sentiment", value: rng.next() - 0.5, weight: 0.5 },
      ]);
      const direction = side === "buy" ? 1 : -1;
      causes.set(id, { direction, layers, pattern: `p${k % 7}`, strategy: `s${k % 3}`, model: null });
    }
    desk.endOfDay({ at: close, nights: 1 });
    for (const [symbol, column] of closes) column.close[d] = prices.get(symbol) ?? 100;
  }
  return { events, closes, causes, until: dayAt(CALENDAR.zone, sessions[sessions.length - 1].open) };
}

function casesOf({ events, closes, causes, until }: Account): Case[] {
  const book = tradesOf(events);
  const { trades } = book;
  assert(trades.length > 0.9 * TRADES, `${trades.length} trades`);
  const closed = trades.filter(isClosed);
  const equity = createEquity(CALENDAR);
  for (const event of events) equity.take(event);
  const days = equity.days(closes, until);
  const returns = dailyReturns(days);
  const benchmark = returnsOfCloses(
    closes.get("S0") ?? { day: new Float64Array(), close: new Float64Array() },
  );
  const { zone } = CALENDAR;
  const dayOf = tradingDaysBy(() => CALENDAR);
  const one = (name: string, run: () => unknown): Case => ({ name, items: 1, run: () => void run() });
  return [
    one("trades from events", () => tradesOf(events)),
    one("unrealised", () => SYMBOLS.map((symbol) => unrealisedOf(book.openOf(symbol), 100))),
    one("equity by day", () => dailyEquity(events, CALENDAR, closes, until)),
    one("equity by day of events that are taken in", () => exposureOf(equity.days(closes, until))),
    one("returns", () => [
      performanceOf(dailyReturns(days), YEAR),
      maxDrawdown(returns),
      exposureShares(days),
      compareReturns(returns, benchmark, YEAR),
      moneyWeighted(flowsOf(days)),
    ]),
    one("statistics", () => [
      statisticsOf(closed),
      statisticsBy(closed, symbolKey),
      statisticsBy(closed, hourKey(zone)),
      statisticsBy(closed, causeKey(causes, "pattern")),
    ]),
    one("attribution", () => attribute(trades, causes)),
    one("forecast of 30 days", () =>
      lossProbability(forecastEquity(returns, days.equity[days.day.length - 1], { days: 30, seed: 1 })),
    ),
    one("streaks", () => streaksOf(trades, zone, until)),
    one("achievements", () => levelOf(experienceOf(achievementsOf(trades, causes, zone)))),
    one("roll-ups", () => [
      dailyRollups(closed, dayOf, () => null),
      strategyRollups(closed, causes, null, dayOf),
    ]),
  ];
}
