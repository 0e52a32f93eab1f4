import { CandlestickChart, CustomChart, LineChart, LinesChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escapeXml, xmlText } from "../../../platform/xml.js";

use([CandlestickChart, CustomChart, LineChart, LinesChart, ScatterChart]);
use([GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** Of middle lightness, so that they show on white and on black alike; there is no background of our own. */
export const COLORS = {
  ink: "#767b85",
  line: "#3f86d8",
  other: "#c07f13",
  gain: "#22997a",
  loss: "#db5a52",
  mark: "#9a63c9",
} as const;

export const WIDTH = 960;
export const MARGIN = { left: 84, right: 28, top: 76, bottom: 52 } as const;

/** What echarts gives to whoever draws an item: values of its row, places and sizes in px. */
export interface Drawing {
  value(dimension: number): number;
  coord(point: readonly number[]): number[];
  size(extent: readonly number[]): number[];
}

export interface PlotText {
  readonly title: string;
  /** What, in which unit, over what time. */
  readonly subtitle: string;
}

/** What is longer is cut, and ends with dots. */
const CUT = { width: WIDTH - MARGIN.left - MARGIN.right, overflow: "truncate" } as const;
const FONT = "system-ui, sans-serif";

/**
 * A picture of what echarts is told, as SVG without script, style sheet or link. The same option gives the same bytes: the
 * names that echarts counts up over the life of the process are numbered anew.
 */
export function renderPlot({ title, subtitle }: PlotText, height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption({
      animation: false,
      useUTC: true,
      textStyle: { fontFamily: FONT, color: COLORS.ink },
      title: {
        text: xmlText(title),
        subtext: xmlText(subtitle),
        left: MARGIN.left,
        top: 8,
        itemGap: 4,
        padding: 0,
        textStyle: { fontSize: 16, fontFamily: FONT, color: COLORS.ink, ...CUT },
        subtextStyle: { fontSize: 12, fontFamily: FONT, color: COLORS.ink, ...CUT },
      },
      ...option,
    });
    return plainSvg(chart.renderToSVGString(), title);
  } finally {
    chart.dispose();
  }
}

/** The legend of the series with these names, above the plot to the right. */
export function legendOf(names: readonly string[]) {
  const data = names.map((name) => ({ name }));
  return {
    data,
    right: MARGIN.right,
    top: 46,
    itemGap: 26,
    itemHeight: 10,
    textStyle: { color: COLORS.ink },
  };
}

/** Lines and words of an axis. @param name with the unit; none where "" is given. */
export function axisStyle(name: string) {
  const ink = { color: COLORS.ink };
  return {
    name,
    nameTextStyle: ink,
    axisLabel: { ...ink, hideOverlap: true },
    axisLine: { onZero: false, lineStyle: ink },
    axisTick: { lineStyle: ink },
    splitLine: { lineStyle: { ...ink, opacity: 0.25 } },
  };
}

/** A vertical axis of values: its name above it. */
export function valueAxis(name: string, label?: (value: number) => string) {
  const style = axisStyle(name);
  return {
    ...style,
    type: "value" as const,
    scale: true,
    nameTextStyle: { color: COLORS.ink, align: "right" as const, padding: [0, 6, 0, 0] },
    axisLabel: { ...style.axisLabel, ...(label === undefined ? {} : { formatter: label }) },
  };
}

/** A horizontal axis of dates in UTC, from the first moment to the last. */
export function timeAxis(fromMs: number, toMs: number) {
  return {
    ...axisStyle("date, UTC"),
    type: "time" as const,
    nameLocation: "middle" as const,
    nameGap: 30,
    min: fromMs,
    max: toMs,
    splitLine: { show: false },
  };
}

/** Percent with as few decimals as tell it. */
export function percentText(share: number): string {
  return `${Number((100 * share).toFixed(2))}%`;
}

/** A figure of four digits at least, thousands apart. */
export function numberText(value: number): string {
  const places = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 2 : 4;
  const [whole, decimals] = String(Math.abs(Number(value.toFixed(places)))).split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${value < 0 ? "-" : ""}${apart}${decimals === undefined ? "" : `.${decimals}`}`;
}

/**
 * What echarts wrote, without what only a browser with a pointer needs, fonts as attributes rather than styles. Quotes in
 * texts are escaped, so that nothing here matches a text.
 */
function plainSvg(svg: string, title: string): string {
  const clips = new Map<string, string>();
  const clipOf = (name: string) => {
    const known = clips.get(name) ?? `clip${clips.size}`;
    clips.set(name, known);
    return known;
  };
  return svg
    .replace(/<style ?>[\s\S]*?<\/style>\s*/, "")
    .replace(/ (class|pointer-events|ecmeta_\w+|xml:space|xmlns:xlink|baseProfile|version)="[^"]*"/g, "")
    .replace(/ id="(zr[\w-]+)"/g, (_, name: string) => ` id="${clipOf(name)}"`)
    .replace(/="url\(#(zr[\w-]+)\)"/g, (_, name: string) => `="url(#${clipOf(name)})"`)
    .replace(/ style="([^"]*)"/g, (_, style: string) => fontAttributes(style))
    .replace(
      /^<svg ([^>]*)>/,
      `<svg $1 role="img">\n<title>${escapeXml(title).replaceAll("$", "$$$$")}</title>`,
    )
    .replace(/<defs >/, "<defs>")
    .replace(/\n{2,}/g, "\n")
    .concat("\n");
}

function fontAttributes(style: string): string {
  const size = style.match(/(\d+(?:\.\d+)?)px/)?.[1];
  const bold = /\bbold\b/.test(style) ? ' font-weight="bold"' : "";
  return size === undefined ? "" : ` font-size="${size}" font-family="${FONT}"${bold}`;
}
