import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type Bars, barProblem } from "../../src/core/market/candles.js";
import { dayOf } from "../../src/core/market/day.js";
import { checkRows } from "../../src/core/quality/bars.js";
import type { IssueCode } from "../../src/core/quality/issue.js";
import { AGREEMENT, agreement, KINSHIP, kinship } from "../../src/core/quality/kinship.js";
import { repairBars } from "../../src/core/quality/repair.js";
import type { Split } from "../../src/core/quality/splits.js";
import { sharedPath } from "../fixtures/shared.js";

const root = sharedPath("data") ?? "";
const NOW = Date.parse("2026-11-28T00:00:00Z");
const DAY_MS = 86_400_000;

type Table = ReadonlyMap<string, readonly string[]>;

/** Columns of text by header, in lower case. */
function readTable(path: string): Table {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const [head, ...rows] = text.trimEnd().split(/\r?\n/);
  const cells = rows.map((row) => row.split(","));
  return new Map(head.split(",").map((name, i) => [name.toLowerCase(), cells.map((row) => row[i] ?? "")]));
}

/** Bars of a table in its order; days have the time of their midnight. */
function barsOf(table: Table): Bars {
  const numbers = (name: string) =>
    Float64Array.from(table.get(name) ?? [], (cell) => (cell === "" ? Number.NaN : Number(cell)));
  const stamps = ensure(table.get("date") ?? table.get("datetime") ?? table.get("timestamp"), "a time");
  const days = !table.has("timestamp") || /^\d+\//.test(stamps[0]);
  const time = Float64Array.from(stamps, (stamp) => (days ? dayMs(stamp) : Date.parse(stamp)));
  const close = numbers("close");
  const volume = table.has("volume") ? numbers("volume") : new Float64Array(close.length).fill(1);
  return { time, open: numbers("open"), high: numbers("high"), low: numbers("low"), close, volume };
}

function dayMs(stamp: string): number {
  const american = /^(\d+)\/(\d+)\/(\d+)$/.exec(stamp);
  if (american === null) return Date.parse(stamp.slice(0, 10));
  const year = american[3].length === 2 ? `20${american[3]}` : american[3];
  return Date.parse(`${year}-${american[1].padStart(2, "0")}-${american[2].padStart(2, "0")}`);
}

/** Rows by time, oldest first. */
function ascending(bars: Bars): Bars {
  const order = Array.from(bars.time.keys()).sort((a, b) => bars.time[a] - bars.time[b]);
  const take = (column: Float64Array) => Float64Array.from(order, (i) => column[i]);
  const { time, open, high, low, close, volume } = bars;
  return {
    ...{ time: take(time), open: take(open), high: take(high), low: take(low), close: take(close) },
    volume: take(volume),
  };
}

/** Name and flaws of each file, as the table of the data's own README has them, measured by another script. */
function statedFlaws(): [file: string, flaws: string][] {
  if (root === "") return [];
  return readFileSync(join(root, "README.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| (daily|intraday)\//.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map((cells): [string, string] => [cells[1], cells[cells.length - 2]])
    .filter(([file]) => !/treasury|wide-20|funding_rate/.test(file));
}

const PHRASES: readonly [IssueCode, RegExp][] = [
  ["no_volume", /(\d+) zero-volume rows/],
  ["flat", /(\d+) flat bars/],
  ["large_move", /(\d+) daily moves >40/],
  ["price_not_finite", /(\d+) rows with NaN/],
];

describe.skipIf(root === "")("files of real data", () => {
  it("are as many as there were", () => {
    expect(statedFlaws().length).toBeGreaterThan(70);
  });

  it.each(statedFlaws())("%s has the flaws that were measured of it: %s", (file, flaws) => {
    const { issues, held } = checkRows(file, barsOf(readTable(join(root, file))), NOW);
    const count = (code: IssueCode) => issues.find((issue) => issue.code === code)?.count ?? 0;
    for (const [code, phrase] of PHRASES) {
      const stated = Number(phrase.exec(flaws)?.[1] ?? 0);
      // Intraday files were not measured for moves.
      if (code === "large_move" && file.startsWith("intraday")) continue;
      // VIX has no volumes to count; the one row of DHR without volume is held for its prices.
      if (code === "no_volume" && /VIX|DHR/.test(file)) continue;
      expect(count(code), code).toBe(stated);
    }
    const outside = /high<max|low>min/.test(flaws);
    expect(count("price_out_of_range") > 0).toBe(outside);
    expect(issues.filter(({ severity }) => severity === "critical").length > 0).toBe(
      outside || /NaN OHLC/.test(flaws),
    );
    expect(held.length > 0).toBe(outside || /NaN OHLC/.test(flaws));
  });

  it("the official VIX has 20 highs and 27 lows that the open or close passes", () => {
    const bars = barsOf(readTable(join(root, "daily", "index-VIX-1990-2026.csv.gz")));
    const { issues, held } = checkRows("VIX", bars, NOW);
    const { high, low, open, close } = bars;
    const above = held.filter((i) => high[i] < Math.max(open[i], close[i])).length;
    const below = held.filter((i) => low[i] > Math.min(open[i], close[i])).length;
    expect([above, below]).toEqual([20, 27]);
    expect(issues.map(({ code }) => code).sort()).toEqual(["flat", "large_move", "price_out_of_range"]);
  });
});

/** Bars and actions of a file in yfinance's columns, oldest first. */
function yfinance(name: string) {
  const table = readTable(join(root, "bad-input", `yfinance-${name}.csv.gz`));
  const stamps = ensure(table.get("date") ?? table.get("datetime"), "a date");
  const ratios = table.get("stock splits") ?? [];
  const splits = ratios.flatMap((cell, i): Split[] =>
    Number(cell) > 0
      ? [{ kind: "split", exDay: ensure(dayOf(stamps[i].slice(0, 10)), "a day"), ratio: Number(cell) }]
      : [],
  );
  return { bars: ascending(barsOf(table)), splits };
}

function expectAlike(found: Bars, wanted: Bars): void {
  expect(Array.from(found.time)).toEqual(Array.from(wanted.time));
  for (const column of ["open", "high", "low", "close", "volume"] as const) {
    for (const [i, value] of wanted[column].entries()) {
      expect(
        Math.abs(found[column][i] / value - 1) < 1e-3 || found[column][i] === value,
        `${column} ${i}`,
      ).toBe(true);
    }
  }
}

describe.skipIf(root === "")("defects with a repaired twin", () => {
  it("pounds among pence are mended as the twin shows", () => {
    const { bars, splits } = yfinance("AET-L-1d-100x-error");
    const repaired = repairBars("AET.L", bars, { adjusted: "split", splits });
    expect(repaired.issues).toMatchObject([{ code: "scale_slip", severity: "critical", count: 14 }]);
    expectAlike(repaired.bars, yfinance("AET-L-1d-100x-error-fixed").bars);
  });

  it("prices before a split are adjusted for it as the twin shows", () => {
    const { bars, splits } = yfinance("4063-T-1d-bad-stock-split");
    expect(splits).toHaveLength(1);
    const repaired = repairBars("4063.T", bars, { adjusted: "split", splits });
    expect(repaired.issues).toMatchObject([{ code: "split_unapplied", count: 9 }]);
    expectAlike(repaired.bars, yfinance("4063-T-1d-bad-stock-split-fixed").bars);
  });

  it.each([
    "CALM-1d-no-bad-divs",
    "AET-L-1d-100x-error-fixed",
    "4063-T-1d-bad-stock-split-fixed",
    "8TRA-DE-1d-missing-div-adjust",
    "ADIG-L-1d-bad-div",
    "DODFX-1d-cg-double-count",
  ])("prices of %s are right and stay as they are", (name) => {
    const { bars, splits } = yfinance(name);
    const repaired = repairBars(name, bars, { adjusted: "split", splits });
    expect(repaired.mended).toBe(0);
    expect(repaired.bars).toBe(bars);
    expect(repaired.issues.filter(({ severity }) => severity === "critical")).toEqual([]);
  });
});

describe.skipIf(root === "")("bad input", () => {
  const check = (name: string) => {
    const bars = barsOf(readTable(join(root, "bad-input", name)));
    return { bars, ...checkRows(name, bars, NOW) };
  };

  it("bars with empty cells are held, the others stand", () => {
    const { bars, issues, held } = check("skender-bad.csv.gz");
    expect(issues.find(({ code }) => code === "price_not_finite")?.severity).toBe("critical");
    const sound = Array.from(bars.time.keys()).filter((i) => !held.includes(i));
    expect(held.length).toBeGreaterThan(0);
    for (const i of sound) {
      expect(barProblem(bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i])).toBeNull();
    }
  });

  it("bars of zeros are all held", () => {
    const { bars, issues, held } = check("skender-zeros.csv.gz");
    expect(held).toHaveLength(bars.time.length);
    expect(issues).toMatchObject([{ code: "price_not_positive", severity: "critical", count: 200 }]);
  });

  it("newest first is out of order, and nothing else is wrong", () => {
    const { bars, issues, held } = check("SPX-1950-2012-newest-first.csv.gz");
    expect(held).toEqual([]);
    const order = issues.find(({ code }) => code === "out_of_order");
    expect(order).toMatchObject({ severity: "warning", count: bars.time.length - 1 });
    expect(issues.filter(({ severity }) => severity === "critical")).toEqual([]);
    expect(checkRows("SPX", ascending(bars), NOW).issues.map(({ code }) => code)).not.toContain(
      "out_of_order",
    );
  });

  it("mismatched dates are out of order", () => {
    expect(check("skender-mismatch.csv.gz").issues.map(({ code }) => code)).toContain("out_of_order");
  });

  it("another company's prices under a name are told by the series of that name", () => {
    const wrong = check("AAPL-wrong-symbol-inside.csv.gz").bars;
    const right = barsOf(readTable(join(root, "daily", "sp500-5yr-AAPL.csv.gz")));
    const other = barsOf(readTable(join(root, "daily", "kaggle-AAPL.csv.gz")));
    expect(ensure(kinship(wrong, right), "overlap")).toBeLessThan(KINSHIP);
    expect(ensure(kinship(wrong, other), "overlap")).toBeLessThan(KINSHIP);
    expect(ensure(kinship(right, other), "overlap")).toBeGreaterThan(0.9);
  });

  it("sources of one share agree on most of its days, relatives on few", () => {
    const days = (name: string) => {
      const { time, ...prices } = barsOf(readTable(join(root, "daily", `${name}.csv.gz`)));
      return { ...prices, time: time.map((ms) => Math.floor(ms / DAY_MS) * DAY_MS) };
    };
    const share = (a: string, b: string) => ensure(agreement(days(a), days(b)), "overlap");
    for (const [a, b] of [
      ["kaggle-AAPL", "sp500-5yr-AAPL"],
      ["kaggle-SPY", "lean-SPY-raw"],
      ["lean-SPY-raw", "yahoo-SPY-to-2025"],
    ] as const)
      expect(share(a, b), `${a} ${b}`).toBeGreaterThan(AGREEMENT + 0.2);
    for (const [a, b] of [
      ["kaggle-AAPL", "kaggle-QQQ"],
      ["kaggle-QQQ", "kaggle-SPY"],
      ["yahoo-QQQ-to-2025", "yahoo-SPY-2020-2026"],
    ] as const)
      expect(share(a, b), `${a} ${b}`).toBeLessThan(AGREEMENT - 0.15);
  });
});

describe.skipIf(root === "")("splits of raw prices", () => {
  const day = (text: string) => ensure(dayOf(text), text);
  const aapl = () => barsOf(readTable(join(root, "daily", "lean-AAPL-raw.csv.gz")));
  const split = (date: string, ratio: number): Split => ({ kind: "split", exDay: day(date), ratio });

  it("are suspected where none is known, and known where they are", () => {
    const { issues } = repairBars("AAPL", aapl(), { adjusted: "none", splits: [] });
    const suspected = ensure(
      issues.find(({ code }) => code === "split_suspected"),
      "a suspicion",
    );
    expect(new Date(ensure(suspected.time, "a time")).getUTCFullYear()).toBeLessThanOrEqual(2014);
    const splits = [
      split("2000-06-21", 2),
      split("2005-02-28", 2),
      split("2014-06-09", 7),
      split("2020-08-31", 4),
    ];
    const repaired = repairBars("AAPL", aapl(), { adjusted: "none", splits });
    expect(repaired).toMatchObject({ mended: 0, held: [] });
    // Three prints of 2009, far below all others of their days.
    expect(repaired.issues).toMatchObject([{ code: "large_move", severity: "warning", count: 3 }]);
  });

  it("that do not show are adjusted already: never twice", () => {
    const bars = barsOf(readTable(join(root, "daily", "kaggle-AAPL.csv.gz")));
    const { issues } = repairBars("AAPL", bars, { adjusted: "none", splits: [split("2014-06-09", 7)] });
    expect(issues).toMatchObject([{ code: "split_applied_twice", time: day("2014-06-09") * DAY_MS }]);
  });

  it("that do show in prices said to be adjusted are mended", () => {
    const splits = [split("2014-06-09", 7), split("2020-08-31", 4)];
    const { bars, issues } = repairBars("AAPL", aapl(), { adjusted: "split", splits });
    expect(issues.filter(({ code }) => code === "split_unapplied")).toMatchObject([{ severity: "critical" }]);
    expect(Math.max(...moves(bars).slice(-1_800))).toBeLessThan(0.2);
  });
});

function moves({ close }: Bars): number[] {
  return Array.from(close.subarray(1), (value, i) => Math.abs(value / close[i] - 1));
}
