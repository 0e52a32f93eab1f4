import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRng } from "../../src/core/base/rng.js";

const BAR_MS = 300_000;

/**
 * Writes files of seeded random 5-minute candles of made-up coins, which trade around the clock.
 * @param endMs when the newest bar closes.
 */
export function writeCandleFiles(folder: string, symbols: number, bars: number, endMs: number): string[] {
  mkdirSync(folder, { recursive: true });
  const names: string[] = [];
  for (let n = 0; n < symbols; n++) {
    const rng = createRng(7, n);
    const rows = ["timestamp,open,high,low,close,volume"];
    let price = 50 + 100 * rng.next();
    for (let i = 0; i < bars; i++) {
      const open = price;
      const close = open * Math.exp(0.004 * rng.normal());
      const high = Math.max(open, close) * Math.exp(0.002 * Math.abs(rng.normal()));
      const low = Math.min(open, close) * Math.exp(-0.002 * Math.abs(rng.normal()));
      const time = new Date(endMs - (bars - i) * BAR_MS).toISOString();
      rows.push(
        `${time},${[open, high, low, close, 1_000 * rng.next()].map((value) => value.toFixed(6)).join(",")}`,
      );
      price = close;
    }
    const name = `C${String(n).padStart(3, "0")}-USD`;
    writeFileSync(join(folder, `${name}-5m.csv`), `${rows.join("\n")}\n`);
    names.push(name);
  }
  return names;
}
