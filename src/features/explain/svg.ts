import { escapeXml } from "../../platform/xml.js";

export type Attributes = Readonly<Record<string, string | number>>;

/** An element with escaped attributes; numbers are written with two decimals. @param inner markup, escaped already. */
export function element(name: string, attributes: Attributes, inner = ""): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === "number" ? String(Math.round(100 * value) / 100) : escapeXml(value);
    return ` ${key}="${text}"`;
  });
  return inner === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${inner}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escapeXml(content));
}

export function line(
  from: readonly [number, number],
  to: readonly [number, number],
  attributes: Attributes,
): string {
  return element("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], ...attributes });
}

/** Positions moved apart so that each two are at least a distance from each other, in the order given, within bounds. */
export function spread(wanted: readonly number[], apart: number, least: number, most: number): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y || a.i - b.i);
  let next = least;
  const down = order.map(({ y, i }) => {
    const placed = Math.max(y, next);
    next = placed + apart;
    return { y: placed, i };
  });
  let limit = most;
  for (let k = down.length - 1; k >= 0; k--) {
    const y = Math.min(down[k].y, limit);
    down[k] = { ...down[k], y };
    limit = y - apart;
  }
  const positions = wanted.map(() => 0);
  for (const { y, i } of down) positions[i] = y;
  return positions;
}
