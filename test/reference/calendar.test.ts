import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type CalendarId, calendarOf, sessionOn, sessionsBetween } from "../../src/core/market/session.js";
import { sharedPath } from "../fixtures/shared.js";

interface Row {
  readonly date: string;
  /** Epoch ms; NaN when only the date is compared. */
  readonly open: number;
  readonly close: number;
}

/** `date open close` in epoch minutes, or the date alone, one line a session, hashed by year. */
function digests(rows: readonly Row[]): string[] {
  const years = new Map<string, string[]>();
  for (const { date, open, close } of rows) {
    const line = Number.isNaN(open) ? date : `${date} ${open / 60_000} ${close / 60_000}`;
    const year = date.slice(0, 4);
    years.set(year, [...(years.get(year) ?? []), line]);
  }
  return [...years].map(([year, lines]) => {
    const hash = createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 8);
    return `${year} ${lines.length} ${hash}`;
  });
}

/** Rows of a table written as year, number of sessions and first eight hex digits of the SHA-256. */
function table(text: string): string[] {
  const words = text.trim().split(/\s+/);
  return Array.from({ length: words.length / 3 }, (_, i) => words.slice(3 * i, 3 * i + 3).join(" "));
}

function ours(id: CalendarId, from: string, to: string): Row[] {
  return sessionsBetween(calendarOf(id), Date.parse(from), Date.parse(to));
}

function dates(text: string): Set<string> {
  return new Set(text.trim().split(/\s+/));
}

/** Every session 1990 to 2030 as PyPI exchange_calendars 4.13.2 (XNYS) has it. */
const XNYS = table(`
  1990 253 8d9ef969  1991 253 aad8ec83  1992 254 0ee325a3  1993 253 4ff44c5e  1994 252 a47d1458
  1995 252 9bd520a0  1996 254 f1dd0202  1997 253 2d6afd62  1998 252 b97917fa  1999 252 76ec0f52
  2000 252 de3eafbd  2001 248 ad78a48c  2002 252 e10ba1e5  2003 252 9192ff42  2004 252 4272de10
  2005 252 016f9a17  2006 251 7a596691  2007 251 2255559a  2008 253 184f0652  2009 252 668b54c9
  2010 252 286e7395  2011 252 15cbc89f  2012 250 34959156  2013 252 f7c1dace  2014 252 ced43f7b
  2015 252 4b7c2070  2016 252 d61c605b  2017 251 ec3645e6  2018 251 6058a184  2019 252 4a38e750
  2020 253 c739b159  2021 252 2fb014d2  2022 251 faa27a1b  2023 250 24e8c23e  2024 252 9b8ec701
  2025 250 542ba7c2  2026 251 7ade49b6  2027 251 1bf2bf3d  2028 251 a1f6d2e5  2029 251 e6e8bd06
  2030 251 9b619d1d
`);

/**
 * Days on which that package keeps the regular hours against NYSE's list of special closings, which PyPI
 * pandas_market_calendars 5.5.0 follows as this project does.
 */
const XNYS_LATE_OR_EARLY: Readonly<Record<string, readonly [open: string, close: string]>> = {
  "1994-02-11": ["14:30Z", "19:30Z"],
  "1995-12-18": ["15:30Z", "21:00Z"],
  "1996-01-08": ["16:00Z", "19:00Z"],
  "1997-10-27": ["14:30Z", "20:30Z"],
  "2002-09-11": ["16:00Z", "20:00Z"],
};

/** The same package's early closes; at 13:00 New York unless a time follows. */
const EARLY_CLOSES = `
  1990 12-24@14 1991 12-24@14 1992 11-27@14 12-24@14 1993 11-26 1994 11-25 1995 07-03 11-24
  1996 07-05 11-29 12-24 1997 07-03 11-28 12-24 12-26 1998 11-27 12-24 1999 11-26 12-31 2000 07-03 11-24
  2001 07-03 11-23 12-24 2002 07-05 11-29 12-24 2003 07-03 11-28 12-24 12-26 2004 11-26 2005 11-25
  2006 07-03 11-24 2007 07-03 11-23 12-24 2008 07-03 11-28 12-24 2009 11-27 12-24 2010 11-26 2011 11-25
  2012 07-03 11-23 12-24 2013 07-03 11-29 12-24 2014 07-03 11-28 12-24 2015 11-27 12-24 2016 11-25
  2017 07-03 11-24 2018 07-03 11-23 12-24 2019 07-03 11-29 12-24 2020 11-27 12-24 2021 11-26 2022 11-25
  2023 07-03 11-24 2024 07-03 11-29 12-24 2025 07-03 11-28 12-24 2026 11-27 12-24 2027 11-26
  2028 07-03 11-24 2029 07-03 11-23 12-24 2030 07-03 11-29 12-24
`;

/**
 * Every session 1996 to 2026 of the calendar NSE of PyPI pandas_market_calendars 5.5.0, with the weekend
 * sessions of that project's pull request 481.
 */
const XNSE = table(`
  1996 243 b7d2d2c8  1997 235 1c92c78e  1998 247 26531cbf  1999 252 e101827a  2000 250 5a5a6a78
  2001 242 a91edea0  2002 248 3b2fff05  2003 253 770a596b  2004 252 d5462fa9  2005 250 379622bd
  2006 250 d0fe6dc7  2007 249 3608a464  2008 246 2ef87712  2009 243 0afafe67  2010 252 7e43a585
  2011 247 e5295c1a  2012 251 1915d54c  2013 250 2b9fb5e4  2014 244 17034a55  2015 248 1461a55a
  2016 247 b52a25ad  2017 248 e3037194  2018 246 c010e0b9  2019 245 cc1349d4  2020 252 2746c32f
  2021 248 6df8e2f1  2022 248 f835c334  2023 246 11991853  2024 247 cac760e4  2025 249 f30bdbf1
  2026 246 cf772132
`);

/** Sessions that calendar lacks though the exchange's index history (below) has a value for the day. */
const XNSE_TRADED = dates(`
  1996-04-08 1996-04-09 1996-04-10 1996-06-11 1996-06-25 1996-06-26 1996-10-30 1996-11-08
  1997-01-21 1997-04-09 1997-07-24 1997-09-01 1997-09-16 1997-09-17 1997-09-19 1997-10-14 1997-10-30
  1998-07-09 1998-07-14 1998-09-09 1999-03-20 1999-10-23
  2001-03-08 2001-03-21 2001-06-20 2001-08-23 2001-09-10 2001-11-29 2002-01-18 2002-01-28 2002-08-16
  2003-04-10 2003-10-16 2004-10-12 2004-10-15 2005-07-27
`);

/** Saturday sessions in two parts that it leaves out: NSE circulars of 14 February and 7 May 2024. */
const XNSE_TWO_PARTS = dates("2024-03-02 2024-05-18");

/** A Saturday it has for a session of 53 minutes, absent from index history and daily price files alike. */
const XNSE_NOT_TRADED: Row = {
  date: "2003-02-01",
  open: Date.parse("2003-02-01T05:31Z"),
  close: Date.parse("2003-02-01T06:24Z"),
};

/**
 * Days with a value in NSE's own history of the Nifty 50, 1996 to 2023 (a download kept in a public
 * repository).
 */
const NIFTY_DATES = table(`
  1996 250 bcdbc0f2  1997 244 389048fa  1998 250 4a924b5d  1999 254 28281dc9  2000 250 04a57365
  2001 248 18f70441  2002 251 706954ae  2003 254 63851227  2004 254 d3d76b42  2005 251 e581c519
  2006 250 4b60e685  2007 249 2dd61117  2008 246 d4453490  2009 243 1bed25fa  2010 252 1f2b1619
  2011 247 e08b0d65  2012 251 87a4c544  2013 250 e71dd069  2014 244 aa2bfc5a  2015 248 0fe6c2fe
  2016 247 b89e5a32  2017 248 8ccdea1e  2018 246 c4bf9e3c  2019 245 40feaca8  2020 252 5e231a6c
  2021 248 46eb3094  2022 248 319d4a91  2023 246 ee1f6869
`);

/** Missing in that history though the day is no holiday of any list. */
const NIFTY_GAP = "1996-07-17";

describe("NYSE against exchange_calendars", () => {
  const sessions = ours("XNYS", "1990-01-01", "2031-01-01");

  it("has the open and close of every session 1990 to 2030", () => {
    const asThere = sessions.map((session) =>
      session.date in XNYS_LATE_OR_EARLY ? regularDay(session.date) : session,
    );
    expect(digests(asThere)).toEqual(XNYS);
  });

  it("keeps the special hours that package omits", () => {
    for (const [date, [open, close]] of Object.entries(XNYS_LATE_OR_EARLY)) {
      const session = sessionOn(calendarOf("XNYS"), date);
      expect([date, session?.open, session?.close]).toEqual([
        date,
        Date.parse(`${date}T${open}`),
        Date.parse(`${date}T${close}`),
      ]);
    }
  });

  it("closes early on its early closes and on no other day", () => {
    const expected: string[] = [];
    let year = "";
    for (const word of EARLY_CLOSES.trim().split(/\s+/)) {
      if (word.length === 4) year = word;
      else expected.push(`${year}-${word.includes("@") ? word : `${word}@13`}`);
    }
    const found = sessionsBetween(calendarOf("XNYS"), Date.parse("1990-01-01"), Date.parse("2031-01-01"))
      .filter(({ date, early }) => early && !(date in XNYS_LATE_OR_EARLY))
      .map(({ date, close }) => `${date}@${newYorkHour(close)}`);
    expect(found).toEqual(expected);
  });

  /** The session of a winter day at regular hours, or a summer day's. */
  function regularDay(date: string): Row {
    const summer = date === "2002-09-11";
    return {
      date,
      open: Date.parse(`${date}T${summer ? "13" : "14"}:30Z`),
      close: Date.parse(`${date}T${summer ? "20" : "21"}:00Z`),
    };
  }

  function newYorkHour(timeMs: number): string {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: "America/New_York",
      hour: "2-digit",
      hourCycle: "h23",
    });
    return format.format(timeMs);
  }
});

describe("NSE", () => {
  const sessions = ours("XNSE", "1996-01-01", "2027-01-01");

  it("has every session 1996 to 2026 of pandas_market_calendars, and says where not", () => {
    const asThere = sessions.filter(({ date }) => !XNSE_TRADED.has(date) && !XNSE_TWO_PARTS.has(date));
    const at = asThere.findIndex(({ date }) => date > XNSE_NOT_TRADED.date);
    expect(digests([...asThere.slice(0, at), XNSE_NOT_TRADED, ...asThere.slice(at)])).toEqual(XNSE);
    const known = new Set(sessions.map(({ date }) => date));
    expect([...XNSE_TRADED, ...XNSE_TWO_PARTS].filter((date) => !known.has(date))).toEqual([]);
  });

  it("trades on the days of the exchange's index history 1996 to 2023 and on no others", () => {
    const days = sessions
      .filter(({ date }) => date < "2024" && date !== NIFTY_GAP)
      .map(({ date }) => ({ date, open: Number.NaN, close: Number.NaN }));
    expect(digests(days)).toEqual(NIFTY_DATES);
  });

  it("opens for Muhurat sessions", () => {
    const hours = ["2019-10-27", "2023-11-12", "2024-11-01", "2025-10-21"].map((date) => {
      const session = sessionOn(calendarOf("XNSE"), date);
      return session === null ? null : [new Date(session.open).toISOString(), session.close - session.open];
    });
    expect(hours).toEqual([
      ["2019-10-27T12:45:00.000Z", 3_600_000],
      ["2023-11-12T12:45:00.000Z", 3_600_000],
      ["2024-11-01T12:30:00.000Z", 3_600_000],
      ["2025-10-21T08:15:00.000Z", 3_600_000],
    ]);
  });
});

/** Daily files whose every row is a session and which skip none. */
const COMPLETE_FILES = [
  "index-SPX-1990-2022.csv.gz",
  "yahoo-SPY-to-2025.csv.gz",
  "lean-AAPL-raw.csv.gz",
  "yahoo-SPY-2020-2026.csv.gz",
];

describe.skipIf(sharedPath("data", "daily") === null)("days with prices", () => {
  it.each(COMPLETE_FILES)("%s has a row for each NYSE session and for no other day", (file) => {
    const path = sharedPath("data", "daily", file);
    if (path === null) throw new Error(`${file} is missing`);
    const lines = gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n").slice(1);
    const rows = lines.map((line) => line.slice(0, 10)).sort();
    const last = Date.parse(rows[rows.length - 1]) + 86_400_000;
    expect(rows).toEqual(
      sessionsBetween(calendarOf("XNYS"), Date.parse(rows[0]), last).map(({ date }) => date),
    );
  });
});
