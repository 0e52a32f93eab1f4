import { GTC_DAYS } from "../../core/execution/context.js";
import type { Order } from "../../core/execution/order.js";
import { DAY_MS } from "../../core/market/day.js";
import type { Instrument } from "../../core/market/instrument.js";
import { calendarOf, nextSession, previousSession, sessionAt } from "../../core/market/session.js";
import { dayStart } from "../../features/paper-trades/account-day.js";
import { EXTENDED_MS } from "../../features/paper-trades/symbol-walk.js";
import { exchange } from "./calendar.js";

/**
 * When an order expires that is not filled by then, epoch ms: at the close of the session that it is for, or of the trading
 * after it; at the opening for one of the opening auction; in the night in which one until canceled has grown too old. Null
 * for what is filled at once or not at all.
 */
export function expiryOf(
  { timeInForce, extendedHours, submittedAt }: Pick<Order, "timeInForce" | "extendedHours" | "submittedAt">,
  { calendar: id }: Instrument,
): number | null {
  if (timeInForce === "gtc") {
    const { zone } = exchange();
    const old = submittedAt + GTC_DAYS * DAY_MS;
    const day = dayStart(zone, old);
    // Days have 23 to 25 hours.
    return day === old ? day : dayStart(zone, day + 1.5 * DAY_MS);
  }
  if (timeInForce === "ioc" || timeInForce === "fok") return null;
  const calendar = calendarOf(id);
  const next = nextSession(calendar, submittedAt);
  if (timeInForce === "opg") return next?.open ?? null;
  const after = timeInForce === "day" && extendedHours ? EXTENDED_MS : 0;
  const last = previousSession(calendar, submittedAt);
  if (last !== null && submittedAt < last.close + after) return last.close + after;
  const session = sessionAt(calendar, submittedAt) ?? next;
  return session === null ? null : session.close + after;
}
