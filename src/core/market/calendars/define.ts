/** Regular hours of an exchange from a date on, as clock times `HH:MM` of its zone; `24:00` ends a day. */
export interface Hours {
  readonly from: string;
  readonly open: string;
  readonly close: string;
}

/** Hours of one date that differ from the regular ones; null keeps the regular open or close. */
export interface SpecialHours {
  readonly date: string;
  readonly open: string | null;
  readonly close: string | null;
}

/** What is known of an exchange's trading days. Dates are `YYYY-MM-DD` of the exchange. */
export interface CalendarDefinition {
  readonly name: string;
  /** IANA name. */
  readonly zone: string;
  /** ISO weekdays that trade, Monday 1 to Sunday 7. */
  readonly weekdays: readonly number[];
  /** Ascending; the first row also stands for earlier dates. */
  readonly hours: readonly Hours[];
  /** True when a session is dated by the day it closes and opens on the evening before. */
  readonly opensDayBefore: boolean;
  /** First and last date whose closures and special hours are known; beyond them every weekday is a guess. */
  readonly knownFrom: string;
  readonly knownUntil: string;
  /** Weekdays without a session. */
  closures(year: number): readonly string[];
  /** Sessions at other hours than the regular ones, also on days that would not trade. */
  specialHours(year: number): readonly SpecialHours[];
}

/** Dates written as a year followed by its `MM-DD`, all separated by blanks. */
export function datesByYear(text: string): (year: number) => readonly string[] {
  const dates = new Map<number, string[]>();
  let year = 0;
  for (const word of words(text)) {
    if (word.length === 4) year = Number(word);
    else dates.set(year, [...(dates.get(year) ?? []), `${year}-${word}`]);
  }
  return (wanted) => dates.get(wanted) ?? [];
}

/**
 * Special hours written as `18:15-19:15`, `-13:00` or `10:30-` (the other end is regular) or `regular`,
 * followed by the dates that keep them, all separated by blanks.
 */
export function specialHoursByYear(text: string): (year: number) => readonly SpecialHours[] {
  const rows: SpecialHours[] = [];
  let open: string | null = null;
  let close: string | null = null;
  for (const word of words(text)) {
    if (/^\d{4}-/.test(word)) {
      rows.push({ date: word, open, close });
    } else {
      const [from, to] = word === "regular" ? ["", ""] : word.split("-");
      open = from === "" ? null : from;
      close = to === "" ? null : to;
    }
  }
  return (year) => rows.filter(({ date }) => date.startsWith(`${year}-`));
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
