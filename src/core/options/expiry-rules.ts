import type { CalendarId } from "../market/calendar.js";

/** ISO weekdays. */
const MONDAY = 1;
const TUESDAY = 2;
const WEDNESDAY = 3;
const THURSDAY = 4;
const FRIDAY = 5;

/** When the options on an underlying expire from a date on. */
export interface ExpiryRule {
  /** First date that may be an expiry by this rule, `YYYY-MM-DD`. */
  readonly from: string;
  /** First trade date on which listed contracts carried it; contracts listed before were moved to it. */
  readonly listed: string;
  /** Weekdays of weekly expiries, none in the week of the monthly one; empty where there are none. */
  readonly weekly: readonly number[];
  readonly monthly: { readonly weekday: number; readonly which: "third" | "last" } | null;
  /** Also on the last session of each month. */
  readonly monthEnd?: boolean;
  /** Monthly contracts are dated the Saturday after their last session. */
  readonly saturday?: boolean;
}

/** Options of one underlying or kind of underlying. */
export interface ExpiryDefinition {
  readonly name: string;
  readonly calendar: CalendarId;
  /** Settled on the close of the last session, or on the open of the expiry date with the session before the last. */
  readonly settlement: "close" | "open";
  /** False where a session shorter than the regular one is no expiry. */
  readonly shortSessions: boolean;
  /** A weekly expiry on a Monday that is a holiday moves to the next session instead of the one before. */
  readonly mondayMovesOn: boolean;
  /** Ascending; nothing is known before the first. */
  readonly rules: readonly ExpiryRule[];
}

type Kept = Pick<ExpiryRule, "weekly" | "monthly" | "monthEnd" | "saturday">;

/** A rule that was listed from the date it holds from, as all but those named are. */
function rule(from: string, kept: Kept, listed = from): ExpiryRule {
  return { from, listed, ...kept };
}

const weeklyOn = (weekday: number): Kept => ({ weekly: [weekday], monthly: { weekday, which: "last" } });
const monthlyOn = (weekday: number): Kept => ({ weekly: [], monthly: { weekday, which: "last" } });

/** NSE circulars of 2025-06-16 and 2025-06-23: contracts expire on Tuesdays from the end of 2025-08-28. */
const NSE_TUESDAY = "2025-08-29";
/** NSE circular of 2024-11-29: all monthly index contracts on the last Thursday. */
const NSE_THURSDAY = "2025-01-01";
/** NSE circular of 2024-10-10 and BSE of 2024-10-03 after SEBI's of 2024-10-01: one weekly index an exchange. */
const NSE_ONE_WEEKLY = "2024-10-10";
const BSE_ONE_WEEKLY = "2024-10-03";

const INDIA = { settlement: "close", shortSessions: false, mondayMovesOn: false } as const;

/**
 * Index options of NSE and BSE. The two exchanges keep the same holidays, so both use the calendar of NSE. An
 * expiry on a holiday moves to the session before, a full Saturday session counting (NSE, 2024-01-19) and short
 * ones of Diwali and disaster drills not (NSE, 2024-04-08). Sources: the circulars named here, and for the
 * earlier years their reports in Mint, Business Standard, Hindu BusinessLine and Moneycontrol.
 */
export const INDIAN_EXPIRIES = {
  NIFTY: {
    name: "Nifty 50",
    calendar: "XNSE",
    ...INDIA,
    rules: [
      rule("2001-06-04", monthlyOn(THURSDAY)),
      rule("2019-02-11", weeklyOn(THURSDAY)),
      rule(NSE_TUESDAY, weeklyOn(TUESDAY)),
    ],
  },
  BANKNIFTY: {
    name: "Nifty Bank",
    calendar: "XNSE",
    ...INDIA,
    // The move to Fridays announced for 2023-07-07 was withdrawn before it took effect.
    rules: [
      rule("2005-06-13", monthlyOn(THURSDAY)),
      rule("2016-05-27", weeklyOn(THURSDAY)),
      rule("2023-09-04", { weekly: [WEDNESDAY], monthly: { weekday: THURSDAY, which: "last" } }),
      rule("2024-03-01", weeklyOn(WEDNESDAY)),
      rule("2024-11-14", monthlyOn(WEDNESDAY), NSE_ONE_WEEKLY),
      rule(NSE_THURSDAY, monthlyOn(THURSDAY)),
      rule(NSE_TUESDAY, monthlyOn(TUESDAY)),
    ],
  },
  FINNIFTY: {
    name: "Nifty Financial Services",
    calendar: "XNSE",
    ...INDIA,
    rules: [
      rule("2021-01-11", weeklyOn(THURSDAY)),
      rule("2021-10-18", weeklyOn(TUESDAY)),
      rule("2024-11-20", monthlyOn(TUESDAY), NSE_ONE_WEEKLY),
      rule(NSE_THURSDAY, monthlyOn(THURSDAY)),
      rule(NSE_TUESDAY, monthlyOn(TUESDAY)),
    ],
  },
  MIDCPNIFTY: {
    name: "Nifty Midcap Select",
    calendar: "XNSE",
    ...INDIA,
    rules: [
      rule("2022-01-24", weeklyOn(TUESDAY)),
      // The last Tuesday contract expired on 2023-04-25, the first on a Wednesday on 2023-05-03.
      rule("2023-04-27", weeklyOn(WEDNESDAY), "2023-04-26"),
      rule("2023-08-17", weeklyOn(MONDAY)),
      rule("2024-11-19", monthlyOn(MONDAY), NSE_ONE_WEEKLY),
      rule(NSE_THURSDAY, monthlyOn(THURSDAY)),
      rule(NSE_TUESDAY, monthlyOn(TUESDAY)),
    ],
  },
  SENSEX: {
    name: "BSE Sensex",
    calendar: "XNSE",
    ...INDIA,
    rules: [
      rule("2023-05-15", weeklyOn(FRIDAY)),
      // The contract of Friday 2025-01-03 kept its date (BSE circular of 2024-11-28).
      rule("2025-01-04", weeklyOn(TUESDAY), "2025-01-01"),
      rule("2025-09-01", weeklyOn(THURSDAY)),
    ],
  },
  BANKEX: {
    name: "BSE Bankex",
    calendar: "XNSE",
    ...INDIA,
    rules: [
      rule("2023-05-15", weeklyOn(FRIDAY)),
      rule("2023-10-16", weeklyOn(MONDAY)),
      rule("2024-11-19", monthlyOn(MONDAY), BSE_ONE_WEEKLY),
      rule("2025-01-01", monthlyOn(TUESDAY)),
      rule("2025-09-01", monthlyOn(THURSDAY)),
    ],
  },
} as const satisfies Readonly<Record<string, ExpiryDefinition>>;

const THIRD_FRIDAY = { weekday: FRIDAY, which: "third" } as const;

/**
 * Options of the US exchanges (OCC, Cboe). Which weekly contracts a stock has is the exchanges' choice from week
 * to week: an expiry here may be listed, one absent here is not, but for daily ones of a few funds and stocks.
 */
export const US_EXPIRIES = {
  "US-EQUITY": {
    name: "US stocks and funds",
    calendar: "XNYS",
    settlement: "close",
    shortSessions: true,
    mondayMovesOn: false,
    rules: [
      rule("1990-01-01", { weekly: [], monthly: THIRD_FRIDAY, saturday: true }),
      rule("2010-06-01", { weekly: [FRIDAY], monthly: THIRD_FRIDAY, saturday: true }),
      // OCC rule change SR-OCC-2013-04: expiries of 2015-02-01 and later are dated the Friday.
      rule("2015-02-01", { weekly: [FRIDAY], monthly: THIRD_FRIDAY }, "2013-08-31"),
    ],
  },
  SPX: {
    name: "S&P 500, settled on the open",
    calendar: "XNYS",
    settlement: "open",
    shortSessions: true,
    mondayMovesOn: false,
    rules: [rule("2015-02-01", { weekly: [], monthly: THIRD_FRIDAY }, "2013-08-31")],
  },
  SPXW: {
    name: "S&P 500, settled on the close",
    calendar: "XNYS",
    settlement: "close",
    shortSessions: true,
    mondayMovesOn: true,
    rules: [
      // Third Fridays joined this class in May 2017; Tuesdays and Thursdays came in 2022 (Cboe notices).
      rule("2017-05-01", { weekly: [MONDAY, WEDNESDAY, FRIDAY], monthly: null, monthEnd: true }),
      rule("2022-04-18", {
        weekly: [MONDAY, TUESDAY, WEDNESDAY, FRIDAY],
        monthly: null,
        monthEnd: true,
      }),
      rule("2022-05-11", {
        weekly: [MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY],
        monthly: null,
        monthEnd: true,
      }),
    ],
  },
} as const satisfies Readonly<Record<string, ExpiryDefinition>>;

export const EXPIRIES = { ...INDIAN_EXPIRIES, ...US_EXPIRIES } as const;

export type ExpiryCalendarId = keyof typeof EXPIRIES;
