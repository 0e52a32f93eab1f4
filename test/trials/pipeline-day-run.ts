import { PerformanceObserver } from "node:perf_hooks";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { calendarOf } from "../../src/core/market/session.js";
import { resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { ENGINE_TERMS, TickEngine } from "../../src/core/synergy/engine.js";
import { allocateTicks } from "../../src/core/ticks/tick.js";

/**
 * A process of its own: markets that never close, day after day, and what their ticks cost. Chunks are of five minutes;
 * the first tick of each symbol in them closes its bar, and is taken and timed alone.
 */
const SYMBOLS = 20;
const TICKS_PER_SECOND = 100;
const FIVE_MS = 300_000;
const CHUNKS = 288;
const CHUNKS_PER_HOUR = 12;
/** Days of twelve ticks a bar, which have more decisions in the same time, and of them those before anything is timed. */
const THIN_DAYS = 120;
const WARMUP_DAYS = 20;
const DAYS = 5;

const { terms: decision } = resolveDecisionTerms({ leastQuality: 0, stopWithoutNode: 1, furthestStop: 20 });
const engine = new TickEngine(SYMBOLS, {
  ...ENGINE_TERMS,
  // Legs that speak often, so that there are many decisions.
  legs: { neighbours: 5, conviction: 0.2, slope: 0.001, gap: 0.00001 },
  sequence: { windowBars: 120, cooldownBars: 0 },
});
engine.setAccount(1e6, 0, () => false);
for (let s = 0; s < SYMBOLS; s++) {
  const listing = { decision: ensure(decision, "terms"), pointValue: 1, rate: 1, costShare: 0.0005 };
  engine.open({ calendar: calendarOf("24x7"), ...listing });
}

const rng = createRng(2024);
const price = new Float64Array(SYMBOLS).fill(100);
const drift = new Float64Array(SYMBOLS);
const fullest = (FIVE_MS / 1_000) * TICKS_PER_SECOND;
const ticks = allocateTicks(fullest);
const verdicts = new Uint8Array(fullest);
const isClosing = new Uint8Array(fullest);
let now = Date.UTC(2024, 2, 4);

/** Ticks of the next five minutes. */
function draw(count: number): void {
  const scale = Math.sqrt(fullest / count);
  const seen = new Uint8Array(SYMBOLS);
  for (let i = 0; i < count; i++) {
    const s = rng.below(SYMBOLS);
    if (rng.below(Math.ceil(count / 4)) === 0) drift[s] = 0.000004 * rng.normal() * scale * scale;
    const leap = rng.below(Math.ceil(count / 6)) === 0 ? 0.006 * rng.normal() : 0;
    price[s] *= Math.exp(Math.max(-0.009, Math.min(0.009, drift[s] + leap + 0.00003 * scale * rng.normal())));
    price[s] = Math.min(1_000, Math.max(10, price[s]));
    ticks.symbol[i] = s;
    ticks.time[i] = now + Math.floor((FIVE_MS * i) / count);
    ticks.price[i] = Math.round(price[s] * 10_000) / 10_000;
    ticks.size[i] = 1 + rng.below(100);
    isClosing[i] = 1 - seen[s];
    seen[s] = 1;
  }
  now += FIVE_MS;
}

/** Durations of garbage collections, ms. */
const collections: number[] = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collections.push(duration);
}).observe({ entryTypes: ["gc"] });

const told = { ticks: 0, bars: 0, synergies: 0, acts: 0, refused: 0, errors: 0 };
/** Of all that were timed, ms: room for them, so that measuring does not grow anything. */
const closings = new Float64Array((THIN_DAYS + DAYS) * CHUNKS * SYMBOLS);
const decisions = new Float64Array(100_000);
const timed = new Int32Array(2);

function read(count: number): void {
  told.bars += engine.findings.bars;
  for (const { refusedBy } of engine.findings.synergies) {
    told.synergies++;
    if (refusedBy === null) told.acts++;
  }
  engine.findings.clear();
  for (let i = 0; i < count; i++) if (verdicts[i] > 1) told.refused++;
}

/** Takes what was drawn. @returns ns. */
function take(count: number, isTimed: boolean): number {
  const begun = performance.now();
  engine.begin(Number.NaN);
  for (let at = 0; at < count; ) {
    let end = at;
    while (end < count && isClosing[end] === 0) end++;
    if (end > at) at = engine.take(ticks, at, end, verdicts);
    if (at !== end) told.errors++;
    if (end === count) break;
    const before = engine.findings.synergies.length;
    const from = performance.now();
    at = engine.take(ticks, end, end + 1, verdicts);
    const ms = performance.now() - from;
    if (isTimed) closings[timed[0]++] = ms;
    if (isTimed && engine.findings.synergies.length > before) decisions[timed[1]++] = ms;
  }
  return 1e6 * (performance.now() - begun);
}

const at = (sorted: Float64Array, share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

/** A day. @returns ns a tick of each chunk. */
function day(perSymbol: number, isTimed: boolean): number[] {
  const count = perSymbol * SYMBOLS;
  return Array.from({ length: CHUNKS }, () => {
    draw(count);
    const ns = take(count, isTimed);
    told.ticks += count;
    read(count);
    return ns / count;
  });
}

const full = fullest / SYMBOLS;
const collect = ensure(globalThis.gc, "run with --expose-gc");
for (let k = 0; k < THIN_DAYS; k++) day(12, k >= WARMUP_DAYS);
day(full, false);
// Entries are delivered between tasks.
const delivered = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
collect();
const heapBefore = process.memoryUsage().heapUsed;
// A collection that was asked for gives memory back, which a day takes again.
day(full, false);
const residentBefore = process.memoryUsage.rss();
await delivered();
collections.length = 0;
const days = Array.from({ length: DAYS }, () => day(full, true));
await delivered();
const longest = Math.max(0, ...collections);
const count = collections.length;
const residentAfter = process.memoryUsage.rss();
collect();
const heapAfter = process.memoryUsage().heapUsed;
/** The cheapest chunk of an hour: what others do on the machine only adds to it. */
const hour = (chunks: readonly number[], k: number) =>
  Math.min(...chunks.slice(k * CHUNKS_PER_HOUR, (k + 1) * CHUNKS_PER_HOUR));
const first = days.map((chunks) => hour(chunks, 0));
const last = days.map((chunks) => hour(chunks, 23));
const took = closings.subarray(0, timed[0]).sort();
process.stdout.write(
  `${JSON.stringify({
    ...told,
    nsFirstHour: Math.min(...first),
    nsLastHour: Math.min(...last),
    slowdown: Math.min(...last) / Math.min(...first),
    nsByDay: days.map((chunks) => Math.round(Math.min(...chunks))),
    heapGrowth: heapAfter - heapBefore,
    residentGrowth: residentAfter - residentBefore,
    collections: { count, longestMs: longest },
    closings: timed[0],
    decisionsMs: [...decisions.subarray(0, timed[1])],
    closingMs: { p50: at(took, 0.5), p999: at(took, 0.999), max: at(took, 1) },
  })}\n`,
);
