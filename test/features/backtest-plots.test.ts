import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { Candles } from "../../src/core/market/candles.js";
import { drawdownsOf } from "../../src/core/performance/returns.js";
import { plotFolds } from "../../src/features/backtests/plots/folds.js";
import { plotDrawdown, plotEquity } from "../../src/features/backtests/plots/lines.js";
import { plotMonths } from "../../src/features/backtests/plots/months.js";
import { COLORS, MARGIN, WIDTH } from "../../src/features/backtests/plots/render.js";
import { plotTrades } from "../../src/features/backtests/plots/trades.js";
import { walkBars } from "../fixtures/series.js";
import {
  axisOf,
  cornersOf,
  type Drawn,
  drawnIn,
  filled,
  linesOf,
  money,
  percent,
  placeOf,
} from "../fixtures/svg.js";

const DAY = 86_400_000;
const SINCE = Date.UTC(2020, 0, 1);
const RIGHT = WIDTH - MARGIN.right;
const TEXT = { title: "Golden Cross on AAPL", subtitle: "after costs" };

function equityColumns(length: number, seed = 3) {
  const rng = createRng(seed);
  const time = Float64Array.from({ length }, (_, i) => SINCE + i * DAY);
  let level = 100_000;
  const equity = time.map(() => {
    level *= Math.exp(0.01 * rng.normal());
    return level;
  });
  return {
    time,
    equity,
    benchmark: { name: "buy and hold", equity: equity.map((value) => 250_000 - value) },
    bounds: { worst: equity.map((value) => 0.9 * value), best: equity.map((value) => 1.2 * value) },
    currency: "USD",
  };
}

function candlesOf(length: number): Candles {
  const bars = walkBars(length, 9);
  return { ...bars, time: bars.time.map((_, i) => SINCE + i * DAY), symbol: "AAPL", interval: "1d" };
}

const everyPlot: [string, (text: typeof TEXT) => string][] = [
  ["equity", (text) => plotEquity(text, equityColumns(900))],
  ["drawdown", (text) => plotDrawdown(text, Float64Array.of(1, 2, 3), Float64Array.of(0, 0.2, 0.1))],
  [
    "months",
    (text) => plotMonths(text, [{ year: 2024, month: 2, value: 0.01 }], [{ year: 2024, value: 0.01 }]),
  ],
  [
    "trades",
    (text) =>
      plotTrades(
        text,
        candlesOf(300),
        [{ direction: 1, entryAt: 5, entry: 100, exitAt: 9, exit: 101, stop: 99 }],
        "USD",
      ),
  ],
  [
    "folds",
    (text) =>
      plotFolds(
        text,
        [
          {
            trainFromMs: 0,
            trainToMs: 9e9,
            testFromMs: 9e9,
            testToMs: 12e9,
            trainResult: 1,
            testResult: 0.5,
          },
        ],
        "Sharpe ratio",
      ),
  ],
];

describe.each(everyPlot)("the plot of %s", (_, plot) => {
  it("is a picture without script, style sheet or link, and the same bytes each time", () => {
    const svg = plot(TEXT);
    for (let i = 0; i < 3; i++) expect(plot(TEXT)).toBe(svg);
    expect(svg).not.toMatch(/<script|<style|style=|class=|href|\bon\w+=|zr\d|NaN|undefined|Infinity/);
    expect(svg).toContain('role="img"');
    const texts = drawnIn(svg).map(({ text }) => text);
    expect(texts).toContain(TEXT.title);
    expect(texts.some((text) => text.startsWith(TEXT.subtitle))).toBe(true);
  });

  it("cuts a title that is too long, and says it whole in the document's", () => {
    const title = `${"long ".repeat(40)}end`;
    const texts = drawnIn(plot({ ...TEXT, title })).map(({ tag, text }) => [tag, text]);
    expect(texts).toContainEqual(["title", title]);
    expect(texts).toContainEqual(["text", `${title.slice(0, 89)}…`]);
  });

  it("escapes its texts and leaves out what XML forbids", () => {
    const forbidden = ["\u0000", "\u0007", "\ud800"];
    const shown = '<script>$& "x" \'y\' ]]> class="zr0-c0" url(#zr0-c1) {a|b}';
    const svg = plot({ title: forbidden.join("") + shown, subtitle: '<b style="color:red">' });
    expect(svg).not.toMatch(/<script|<b\b|<[^>]*(class=|style=)/);
    for (const letter of forbidden) expect(svg).not.toContain(letter);
    const found = drawnIn(svg).filter(({ text }) => text.replaceAll("&#39;", "'").includes("zr0-c0"));
    const plain = (text: string) =>
      [
        ["&quot;", '"'],
        ["&#39;", "'"],
        ["&apos;", "'"],
        ["&lt;", "<"],
        ["&gt;", ">"],
        ["&amp;", "&"],
      ].reduce((told, [entity, letter]) => told.replaceAll(entity, letter), text);
    expect(found.map(({ text }) => plain(text))).toEqual([shown, shown]);
  });
});

describe("the plot of equity", () => {
  const columns = equityColumns(900);
  const drawn = drawnIn(plotEquity(TEXT, columns));
  const value = axisOf(drawn, "y", money);
  const timeAt = (px: number) => ((px - MARGIN.left) / (RIGHT - MARGIN.left)) * 899 * DAY + SINCE;

  it("has each point of equity, benchmark and bounds where the data say", () => {
    const lines: [string, string | undefined, number, Float64Array][] = [
      [COLORS.line, "1.5", 0, columns.equity],
      [COLORS.other, undefined, 0, columns.benchmark.equity],
      [COLORS.line, undefined, 0, columns.bounds.best],
      [COLORS.line, undefined, 1, columns.bounds.worst],
    ];
    const step = Math.abs(value(0) - value(1));
    for (const [color, width, which, column] of lines) {
      const corners = cornersOf(linesOf(drawn, color, width)[which]);
      expect(corners).toHaveLength(900);
      for (const [i, [x, y]] of corners.entries()) {
        expect(Math.abs(timeAt(x) - columns.time[i])).toBeLessThan(0.1 * DAY);
        expect(Math.abs(value(y) - column[i])).toBeLessThan(0.6 * step);
      }
    }
  });

  it("fills what lies between the bounds", () => {
    const band = filled(drawn, COLORS.line).find(({ attributes }) => attributes["fill-opacity"] === "0.2");
    const corners = band === undefined ? [] : cornersOf(band);
    expect(corners.length).toBeGreaterThanOrEqual(1_800);
    const step = Math.abs(value(0) - value(1));
    expect(Math.abs(value(corners[400][1]) - columns.bounds.best[400])).toBeLessThan(step);
    expect(Math.abs(value(corners[1_799 - 400][1]) - columns.bounds.worst[400])).toBeLessThan(step);
  });

  it("names its axes with unit and dates, and its lines", () => {
    const texts = drawn.map(({ text }) => text);
    for (const text of [
      "USD",
      "2020-01-01 to 2022-06-18, UTC",
      "equity",
      "buy and hold",
      "worst to best fill",
      "2021",
    ]) {
      expect(texts).toContain(text);
    }
  });

  it("of 5,000 bars keeps the highest and the lowest, and stays small", () => {
    const long = equityColumns(5_000);
    const svg = plotEquity(TEXT, long);
    expect(svg.length).toBeLessThan(130_000);
    const many = drawnIn(svg);
    const corners = cornersOf(linesOf(many, COLORS.line, "1.5")[0]);
    expect(corners.length).toBeLessThan(1_800);
    const read = axisOf(many, "y", money);
    const levels = corners.map(([, y]) => read(y));
    const step = Math.abs(read(0) - read(1));
    expect(Math.abs(Math.max(...levels) - Math.max(...long.equity))).toBeLessThan(0.6 * step);
    expect(Math.abs(Math.min(...levels) - Math.min(...long.equity))).toBeLessThan(0.6 * step);
  });

  it("breaks where nothing is known, and says so where there is nothing at all", () => {
    const gap = equityColumns(60);
    gap.equity.fill(Number.NaN, 20, 30);
    const svg = plotEquity(TEXT, { ...gap, benchmark: null, bounds: null });
    const [line] = linesOf(drawnIn(svg), COLORS.line, "1.5");
    expect(line.attributes.d.match(/M/g)).toHaveLength(2);
    expect(cornersOf(line)).toHaveLength(50);
    const none = new Float64Array();
    const empty = plotEquity(TEXT, {
      time: none,
      equity: none,
      benchmark: null,
      bounds: null,
      currency: "USD",
    });
    expect(drawnIn(empty).map(({ text }) => text)).toContain("after costs: no data");
  });
});

describe("the plot of drawdown", () => {
  it("hangs from zero to the depth of each day", () => {
    const { time, equity } = equityColumns(500);
    const depth = drawdownsOf(equity.map((value) => value / 100_000));
    const drawn = drawnIn(plotDrawdown(TEXT, time, depth));
    const value = axisOf(drawn, "y", percent);
    const [line] = linesOf(drawn, COLORS.loss, "1.5");
    const corners = cornersOf(line);
    expect(corners).toHaveLength(500);
    const step = Math.abs(value(0) - value(1));
    for (const [i, [, y]] of corners.entries())
      expect(Math.abs(value(y) + depth[i])).toBeLessThan(0.6 * step);
    expect(drawn.map(({ text }) => text)).toContain("% of peak");
  });

  it("has a scale below zero where there was no fall", () => {
    const drawn = drawnIn(plotDrawdown(TEXT, Float64Array.of(1, 2, 3), new Float64Array(3)));
    const value = axisOf(drawn, "y", percent);
    const [line] = linesOf(drawn, COLORS.loss, "1.5");
    for (const [, y] of cornersOf(line)) expect(value(y)).toBeCloseTo(0, 4);
    expect(drawn.map(({ text }) => text)).toContain("-1%");
  });
});

describe("the plot of months", () => {
  const months = [
    { year: 2023, month: 11, value: 0.0512 },
    { year: 2023, month: 12, value: -0.1 },
    { year: 2024, month: 1, value: null },
    { year: 2024, month: 2, value: -0.0004 },
    { year: 2024, month: 3, value: 0.1 },
  ];
  const years = [
    { year: 2023, value: -0.05392 },
    { year: 2024, value: 0.3 },
  ];
  const drawn = drawnIn(plotMonths(TEXT, months, years));
  const labels = new Map(
    drawn
      .filter(({ attributes }) => attributes.transform !== undefined)
      .map((each) => [each.text, placeOf(each)]),
  );
  /** The figure that stands in the column and row of two labels. */
  function cell(column: string, row: string) {
    const at = [labels.get(column)?.[0] ?? Number.NaN, labels.get(row)?.[1] ?? Number.NaN];
    const near = (element: Drawn) => {
      const x = Number(element.attributes.x ?? placeOf(element)[0]);
      const y = Number(element.attributes.y ?? placeOf(element)[1]);
      return Math.abs(x - at[0]) < 3 && Math.abs(y - at[1]) < 3;
    };
    const found = drawn
      .filter((each) => each.tag === "text" && each.attributes["font-size"] === "11")
      .find(near);
    const behind = drawn
      .filter(({ tag, attributes }) => tag === "path" && /^#/.test(attributes.fill))
      .find((each) => {
        const corners = cornersOf(each);
        const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
        return (
          at[0] > Math.min(...xs) &&
          at[0] < Math.max(...xs) &&
          at[1] > Math.min(...ys) &&
          at[1] < Math.max(...ys)
        );
      });
    return { text: found?.text, fill: behind?.attributes.fill };
  }

  it("has each month in its row and column, the year at the end", () => {
    expect(cell("Nov", "2023").text).toBe("5.1");
    expect(cell("Dec", "2023").text).toBe("-10.0");
    expect(cell("Jan", "2024").text).toBe("–");
    expect(cell("Feb", "2024").text).toBe("0.0");
    expect(cell("Year", "2023").text).toBe("-5.4");
    expect(cell("Year", "2024").text).toBe("30.0");
    expect(cell("Apr", "2024").text).toBeUndefined();
  });

  it("shades by size and sign, and not what is unknown", () => {
    expect(cell("Mar", "2024").fill).toBe("#0f7a5c");
    expect(cell("Dec", "2023").fill).toBe("#b53a34");
    expect(cell("Year", "2024").fill).toBe("#0f7a5c");
    expect(cell("Feb", "2024").fill).toBe("#6b7280");
    expect(cell("Jan", "2024").fill).toBeUndefined();
    expect(["#6b7280", "#0f7a5c"]).not.toContain(cell("Nov", "2023").fill);
  });
});
