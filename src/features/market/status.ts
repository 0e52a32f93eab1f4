import { dateOf, weekdayOf } from "../../core/market/day.js";
import {
  type CalendarId,
  calendarOf,
  isKnown,
  nextSession,
  type Session,
  sessionAt,
  sessionOn,
  tradingDay,
} from "../../core/market/session.js";

export interface MarketState {
  readonly calendar: CalendarId;
  readonly name: string;
  readonly open: boolean;
  /** Why it is closed; null while it is open. */
  readonly reason: "weekend" | "holiday" | "before the open" | "after the close" | null;
  /** The session of the day at the exchange; null without one. */
  readonly session: Session | null;
  /** When it opens or closes next, epoch ms. */
  readonly nextChange: number | null;
  /** Whether the closures of this day have been announced; else weekdays count as sessions. */
  readonly known: boolean;
}

const SATURDAY = 6;

/** Whether an exchange trades at a moment, by its calendar. Holidays, half days and clock changes are in it. */
export function stateOf(id: CalendarId, timeMs: number): MarketState {
  const calendar = calendarOf(id);
  const { name } = calendar;
  const known = isKnown(calendar, timeMs);
  const current = sessionAt(calendar, timeMs);
  if (current !== null) {
    return {
      calendar: id,
      name,
      open: true,
      reason: null,
      session: current,
      nextChange: current.close,
      known,
    };
  }
  const day = tradingDay(calendar, timeMs);
  const session = sessionOn(calendar, dateOf(day));
  const nextChange = nextSession(calendar, timeMs)?.open ?? null;
  return {
    calendar: id,
    name,
    open: false,
    reason: reasonOf(session, day, timeMs),
    session,
    nextChange,
    known,
  };
}

function reasonOf(session: Session | null, day: number, timeMs: number): MarketState["reason"] {
  if (session !== null) return timeMs < session.open ? "before the open" : "after the close";
  return weekdayOf(day) >= SATURDAY ? "weekend" : "holiday";
}
