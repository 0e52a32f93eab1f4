import { axisStyle, COLORS, type Drawing, MARGIN, type PlotText, renderPlot } from "./render.js";

/** What was gained in a calendar month; null where nothing is known. */
export interface MonthReturn {
  readonly year: number;
  /** 1..12. */
  readonly month: number;
  /** A share of the equity at its beginning. */
  readonly value: number | null;
}

export interface YearReturn {
  readonly year: number;
  readonly value: number | null;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const YEAR = "Year";
const ROW = 24;
/** Between cells, px. */
const GAP = 2;
/** Neither gain nor loss, and the ends: each dark enough for white figures. */
const SCALE = { none: [107, 114, 128], gain: [15, 122, 92], loss: [181, 58, 52] } as const;
/** Shades between none and an end. */
const SHADES = 8;

/** Returns by month, a row a year, with the whole year at the end of its row; shades are of the largest month. */
export function plotMonths(
  text: PlotText,
  months: readonly MonthReturn[],
  years: readonly YearReturn[],
): string {
  const rows = [...new Set([...months, ...years].map(({ year }) => year))].sort((a, b) => a - b);
  const most = Math.max(0, ...months.map(({ value }) => Math.abs(value ?? 0)));
  const cells = [
    ...months.map(({ year, month, value }) => ({ column: month - 1, row: rows.indexOf(year), value })),
    ...years.map(({ year, value }) => ({ column: MONTHS.length, row: rows.indexOf(year), value })),
  ];
  const subtitle = `${text.subtitle}${rows.length === 0 ? ": no data" : ""}`;
  const height = MARGIN.top + ROW * Math.max(1, rows.length) + 16;
  const axis = { type: "category" as const, axisTick: { show: false }, axisLine: { show: false } };
  return renderPlot({ ...text, subtitle }, height, {
    grid: { ...MARGIN, bottom: 16 },
    xAxis: {
      ...axisStyle(""),
      ...axis,
      data: [...MONTHS, YEAR],
      position: "top",
      splitLine: { show: false },
    },
    yAxis: { ...axisStyle(""), ...axis, data: rows.map(String), inverse: true, splitLine: { show: false } },
    series: [
      {
        type: "custom",
        silent: true,
        data: cells.map(({ column, row }) => [column, row]),
        encode: { x: 0, y: 1 },
        renderItem({ dataIndex }: { dataIndex: number }, api: Drawing) {
          const { column, row, value } = cells[dataIndex];
          const [x, y] = api.coord([column, row]);
          const [width, height] = api.size([1, 1]).map((size) => size - GAP);
          const shape = { x: x - width / 2, y: y - height / 2, width, height };
          const told = value === null ? "–" : percentOf(value);
          const fill = value === null ? "none" : shadeOf(value, most);
          const ink = value === null ? COLORS.ink : "#ffffff";
          const text = {
            text: told,
            x,
            y,
            fontSize: 11,
            fill: ink,
            align: "center",
            verticalAlign: "middle",
          };
          return {
            type: "group",
            children: [
              { type: "rect", shape, style: { fill } },
              { type: "text", style: text },
            ],
          };
        },
      },
    ],
  });
}

/** One decimal, and no sign before 0.0. */
function percentOf(value: number): string {
  return (Math.round(1000 * value) / 10 + 0).toFixed(1);
}

function shadeOf(value: number, most: number): string {
  const share = most === 0 ? 0 : Math.min(1, Math.round((SHADES * Math.abs(value)) / most) / SHADES);
  const end = value < 0 ? SCALE.loss : SCALE.gain;
  const parts = SCALE.none.map((from, i) => Math.round(from + share * (end[i] - from)));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
