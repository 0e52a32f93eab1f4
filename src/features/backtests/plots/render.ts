import { CandlestickChart, CustomChart, LineChart, LinesChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { isoTime } from "../../../platform/http.js";
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

/** Letters that fit beside each other; what is longer is cut, and stands whole in the title of the document. */
const TITLE_LETTERS = 90;
const SUBTITLE_LETTERS = 135;
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
        text: cut(xmlText(title), TITLE_LETTERS),
        subtext: cut(xmlText(subtitle), SUBTITLE_LETTERS),
        left: MARGIN.left,
        top: 8,
        itemGap: 4,
        padding: 0,
        textStyle: { fontSize: 16, fontFamily: FONT, color: COLORS.ink },
        subtextStyle: { fontSize: 12, fontFamily: FONT, color: COLORS.ink },
      },
      ...option,
    });
    return plainSvg(chart.renderToSVGString(), title);
  } finally {
    chart.dispose();
  }
}

function cut(text: string, letters: number): string {
  const all = Array.from(text);
  return all.length <= letters ? text : `${all.slice(0, letters - 1).join("")}…`;
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
    ...axisStyle(`${dateOf(fromMs)} to ${dateOf(toMs)}, UTC`),
    type: "time" as const,
    nameLocation: "middle" as const,
    nameGap: 30,
    min: fromMs,
    max: toMs,
    splitLine: { show: false },
  };
}

function dateOf(ms: number): string {
  return isoTime(ms).slice(0, 10);
}

/** Percent with as few decimals as tell it. */
export function percentText(share: number): string {
  return `${Number((100 * share).toFixed(2))}%`;
}

/** A figure with thousands apart and the decimals that it has, up to ten. */
export function numberText(value: number): string {
  const [whole, decimals] = Math.abs(value).toFixed(10).split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = decimals.replace(/0+$/, "");
  const text = rest === "" ? apart : `${apart}.${rest}`;
  return value < 0 && text !== "0" ? `-${text}` : text;
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
