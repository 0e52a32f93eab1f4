import { z } from "zod";
import { DAY_MS, dateOf, dayOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import { instantOf, type Zone } from "../../core/market/zone.js";
import { type CalendarDay, calendarDays, clockView, exchange } from "./calendar.js";
import { notFound } from "./errors.js";
import type { DialectGroup } from "./http.js";
import { momentText, rfc3339, startOf, zonedTime } from "./times.js";

const marketSchema = z
  .object({ acronym: z.string(), mic: z.string().length(4), name: z.string(), timezone: z.string() })
  .meta({ id: "AlpacaMarket" });
type Market = z.output<typeof marketSchema>;

const timezone = "America/New_York";
const NYSE: Market = { acronym: "NYSE", mic: "XNYS", name: "New York Stock Exchange", timezone };
const NASDAQ: Market = { acronym: "NASDAQ", mic: "XNAS", name: "Nasdaq Stock Market", timezone };
const IEX: Market = { acronym: "IEX", mic: "IEXG", name: "Investors Exchange", timezone };
const LISTED: readonly Market[] = [NYSE, NASDAQ, IEX];

/** @throws {DialectError} 404 for one whose calendar is not kept here. */
function marketOf(text: string): Market {
  const wanted = text.toUpperCase();
  const found = LISTED.find(({ acronym, mic }) => acronym === wanted || mic === wanted);
  if (found === undefined) throw notFound(`no calendar of market ${text.slice(0, 20)} is kept`);
  return found;
}

const clocksQuery = z.object({
  markets: z.string().max(200).optional().describe("Comma list; all that are known unless given"),
  time: momentText.optional().describe("In place of now"),
});
const zoned = z.string().describe("RFC 3339 with the offset of the market");
const clocksAnswer = z
  .object({
    clocks: z.array(
      z.object({
        market: marketSchema,
        timestamp: zoned,
        is_market_day: z.boolean(),
        next_market_open: zoned,
        next_market_close: zoned,
        phase: z.enum(["closed", "pre", "core", "post"]),
        phase_until: zoned,
      }),
    ),
  })
  .meta({ id: "AlpacaClocks" });

const marketParams = z.object({ market: z.string().min(1).max(20).describe("NYSE, NASDAQ, IEX or a MIC") });
const daysQuery = z.object({
  start: z.iso.date().optional().describe("First date; today unless given"),
  end: z.iso.date().optional().describe("Last date, included; a week later unless given"),
  timezone: z.enum(["UTC"]).optional().describe("Of the times; the market's unless given"),
});
const daysAnswer = z
  .object({
    market: marketSchema,
    calendar: z.array(
      z.object({
        date: z.iso.date(),
        pre_start: zoned,
        pre_end: zoned,
        core_start: zoned,
        core_end: zoned,
        post_start: zoned,
        post_end: zoned,
        settlement_date: z.iso.date(),
      }),
    ),
  })
  .meta({ id: "AlpacaMarketCalendar" });

/** Clocks and calendars of the markets that keep the hours of New York. */
export function marketTimeRoutes(routes: DialectGroup, now: () => number): void {
  routes.get("/v3/clock", {
    id: "alpacaClocks",
    summary: "The clock of each market, and its phase of trading",
    query: clocksQuery,
    answer: clocksAnswer,
    handle({ query: { markets, time } }) {
      const wanted = markets === undefined ? LISTED : markets.split(",").map(marketOf);
      const at = time === undefined ? now() : startOf(time, exchange().zone);
      const clock = clockOf(at);
      return { clocks: wanted.map((market) => ({ market, ...clock })) };
    },
  });
  routes.get("/v3/calendar/:market", {
    id: "alpacaMarketCalendar",
    summary: "Sessions of a market with the trading before and after them",
    params: marketParams,
    query: daysQuery,
    answer: daysAnswer,
    handle({ params, query: { start, end, timezone: given } }) {
      const market = marketOf(params.market);
      const from = start ?? dateOf(tradingDay(exchange(), now()));
      const to = end ?? dateOf(dayOf(from) + 7);
      const { zone } = exchange();
      const text = (ms: number) => (given === "UTC" ? rfc3339(ms) : zonedTime(ms, zone));
      return {
        market,
        calendar: calendarDays("TRADING", from, to).map((day) => {
          const { pre, open, close, post } = instantsOf(day, zone);
          return {
            date: day.date,
            pre_start: text(pre),
            pre_end: text(open),
            core_start: text(open),
            core_end: text(close),
            post_start: text(close),
            post_end: text(post),
            settlement_date: day.settlement_date,
          };
        }),
      };
    },
  });
}

/** When trading before the session begins, its open and its close, and when trading after it ends. */
function instantsOf({ date, open, close, session_open, session_close }: CalendarDay, zone: Zone) {
  const at = (text: string) => {
    const digits = text.replace(":", "");
    const minutes = 60 * Number(digits.slice(0, 2)) + Number(digits.slice(2));
    return instantOf(zone, dayOf(date) * DAY_MS + minutes * 60_000);
  };
  return { pre: at(session_open), open: at(open), close: at(close), post: at(session_close) };
}

function clockOf(nowMs: number) {
  const { zone } = exchange();
  const { timestamp, next_open, next_close } = clockView(nowMs);
  const today = timestamp.slice(0, 10);
  // The next session is never farther away than a week and a half.
  const days = calendarDays("TRADING", today, dateOf(dayOf(today) + 10)).map((day) => ({
    date: day.date,
    ...instantsOf(day, zone),
  }));
  const coming = days.find(({ post }) => post > nowMs);
  if (coming === undefined) throw notFound("the calendar does not reach that time");
  const { phase, until } = phaseAt(coming, nowMs);
  return {
    timestamp,
    is_market_day: days[0]?.date === today,
    next_market_open: next_open,
    next_market_close: next_close,
    phase,
    phase_until: zonedTime(until, zone),
  };
}

function phaseAt({ pre, open, close, post }: ReturnType<typeof instantsOf>, nowMs: number) {
  if (nowMs < pre) return { phase: "closed", until: pre } as const;
  if (nowMs < open) return { phase: "pre", until: open } as const;
  return nowMs < close
    ? ({ phase: "core", until: close } as const)
    : ({ phase: "post", until: post } as const);
}
