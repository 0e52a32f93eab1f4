import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ensure } from "../src/core/base/assert.js";
import { createRng } from "../src/core/base/rng.js";
import { type Calendar, calendarOf } from "../src/core/market/session.js";
import { resolveDecisionTerms } from "../src/core/synergy/decision-terms.js";
import { ENGINE_TERMS, TickEngine } from "../src/core/synergy/engine.js";
import { allocateTicks, type Ticks } from "../src/core/ticks/tick.js";

/** Ticks with what they are traded by. */
export interface TickSeries {
  readonly name: string;
  readonly symbols: number;
  readonly calendar: Calendar;
  readonly ticks: Ticks;
}

/** Walks of symbols in turns, so many ticks to a bar of five minutes, prices in hundredths. */
export function walkSeries(symbols: number, perBar: number, count: number): TickSeries {
  const ticks = allocateTicks(count);
  const rng = createRng(7, symbols, perBar);
  const price = new Float64Array(symbols).fill(100);
  const deviation = 0.0004 * Math.sqrt(12 / perBar);
  const start = Date.UTC(2024, 0, 1);
  for (let i = 0; i < count; i++) {
    const s = i % symbols;
    price[s] *= 1 + deviation * rng.normal();
    ticks.symbol[i] = s;
    ticks.time[i] = start + (Math.floor(i / symbols) * 300_000) / perBar;
    ticks.price[i] = Math.round(price[s] * 100) / 100;
    ticks.size[i] = 1 + rng.below(100);
  }
  const name = `${symbols} ${symbols === 1 ? "symbol" : "symbols"}, ${perBar} ticks a bar`;
  return { name, symbols, calendar: calendarOf("24x7"), ticks };
}

/** A week of real trades of SPY; null where they are not beside the checkout. @param folder of bench. */
export function spySeries(folder: string): TickSeries | null {
  const path = join(folder, "../../shared/data/ticks/lean-SPY-trades-20131007-20131011.csv.gz");
  if (!existsSync(path)) return null;
  const lines = gunzipSync(readFileSync(path)).toString("latin1").trimEnd().split("\n").slice(1);
  const ticks = allocateTicks(lines.length);
  for (const [i, line] of lines.entries()) {
    const [time, price, size] = line.split(",", 3);
    ticks.time[i] = Number(time);
    ticks.price[i] = Number(price);
    ticks.size[i] = Number(size);
  }
  return { name: "a week of trades of SPY", symbols: 1, calendar: calendarOf("XNYS"), ticks };
}

/** An engine with the symbols of a series, of which nothing is known yet. */
export function engineOf({ symbols, calendar }: TickSeries): TickEngine {
  const { terms, problem } = resolveDecisionTerms({});
  const decision = ensure(terms, problem ?? "terms");
  const engine = new TickEngine(symbols, ENGINE_TERMS);
  for (let s = 0; s < symbols; s++) {
    engine.open({ calendar, decision, pointValue: 1, rate: 1, costShare: 0.0005 });
  }
  engine.setAccount(100_000, 0, () => false);
  engine.begin(Number.NaN);
  return engine;
}

/** What comes out of a series, as bench/pipeline.c prints it; then what else is counted. */
export interface Outcome {
  readonly sums: readonly number[];
  readonly longerBars: number;
  readonly refused: number;
}

const BATCH = 50_000;

/** All ticks through an engine in batches. @returns ns, what was found being passed over. */
export function timeRun(series: TickSeries, verdicts: Uint8Array): number {
  const engine = engineOf(series);
  const count = series.ticks.time.length;
  const started = process.hrtime.bigint();
  for (let at = 0; at < count; ) {
    at = engine.take(series.ticks, at, Math.min(count, at + BATCH), verdicts);
    engine.findings.clear();
  }
  return Number(process.hrtime.bigint() - started);
}

/** The same with all that comes out added up. */
export function addUp(series: TickSeries): Outcome {
  const engine = engineOf(series);
  const count = series.ticks.time.length;
  const verdicts = new Uint8Array(count);
  const sums = { bars: 0, figures: 0, synergies: 0, quality: 0, acted: 0, outputs: 0, matrices: 0 };
  let longerBars = 0;
  const known = (value: number) => (Number.isNaN(value) ? 0 : value);
  for (let at = 0; at < count; ) {
    at = engine.take(series.ticks, at, Math.min(count, at + BATCH), verdicts);
    const { open, high, low, close, volume, count: trades, slot, vwap, pressure, ...found } = engine.findings;
    for (let k = 0; k < found.bars; k++) {
      sums.figures += open[k] + high[k] + low[k] + close[k] + volume[k] + trades[k] + slot[k];
      sums.figures += known(vwap[k]) + known(pressure[k]);
      longerBars += found.interval[k];
    }
    sums.bars += found.bars;
    for (const { quality, refusedBy, inputs, outputs } of engine.findings.synergies) {
      sums.synergies++;
      sums.quality += quality;
      sums.acted += refusedBy === null ? 1 : 0;
      const [stop, , target, units, , reward] = outputs.map(known);
      sums.outputs += stop + target + reward + units * (1 + Math.abs(inputs[2] - stop));
    }
    engine.findings.clear();
  }
  for (const { structure, tactical, regime } of engine.tracks) {
    for (const matrix of [structure, tactical, regime]) {
      const { values } = matrix.snapshot();
      sums.matrices += values.reduce((sum, value, k) => sum + known(value) * (1 + (k % 7)), 0);
    }
  }
  const refused = verdicts.reduce((sum, verdict) => sum + (verdict === 0 ? 0 : 1), 0);
  return { sums: Object.values(sums), longerBars, refused };
}
