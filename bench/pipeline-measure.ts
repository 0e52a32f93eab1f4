import { createRng } from "../src/core/base/rng.js";
import { calendarOf } from "../src/core/market/session.js";
import { resolveDecisionTerms } from "../src/core/synergy/decision-terms.js";
import { ENGINE_TERMS, TickEngine } from "../src/core/synergy/engine.js";
import { allocateTicks, type Ticks } from "../src/core/ticks/tick.js";

function walk(count: number, symbols: number, perBar: number, seed: number): Ticks {
  const ticks = allocateTicks(count);
  const rng = createRng(seed);
  const price = new Float64Array(symbols).fill(100);
  const step = 300_000 / perBar;
  const start = Date.UTC(2024, 0, 1);
  for (let i = 0; i < count; i++) {
    const s = i % symbols;
    const k = Math.floor(i / symbols);
    price[s] *= 1 + 0.0004 * rng.normal() * Math.sqrt(12 / perBar);
    ticks.symbol[i] = s;
    ticks.time[i] = start + k * step;
    ticks.price[i] = Math.round(price[s] * 100) / 100;
    ticks.size[i] = 1 + Math.floor(rng.next() * 100);
  }
  return ticks;
}

const { terms } = resolveDecisionTerms({});
if (terms === null) throw new Error("terms");
for (const [symbols, perBar, count] of [
  [1, 12, 3_000_000],
  [1, 300, 10_000_000],
  [500, 12, 5_000_000],
] as const) {
  const ticks = walk(count, symbols, perBar, 7);
  const verdicts = new Uint8Array(count);
  for (let round = 0; round < 4; round++) {
    const engine = new TickEngine(symbols, ENGINE_TERMS);
    for (let s = 0; s < symbols; s++)
      engine.open({ calendar: calendarOf("24x7"), decision: terms, pointValue: 1, costShare: 0.0005 });
    engine.setAccount(100_000, 0, () => false);
    engine.begin(Number.NaN);
    let bars = 0;
    let synergies = 0;
    const started = process.cpuUsage();
    for (let at = 0; at < count; ) {
      at = engine.take(ticks, at, Math.min(count, at + 50_000), verdicts);
      bars += engine.findings.bars;
      synergies += engine.findings.synergies.length;
      engine.findings.clear();
    }
    const { user, system } = process.cpuUsage(started);
    const ns = ((user + system) * 1000) / count;
    const refused = verdicts.reduce((sum, v) => sum + (v === 0 ? 0 : 1), 0);
    process.stdout.write(
      `${symbols} x ${perBar}: ${ns.toFixed(1)} ns/tick, ${(1000 / ns).toFixed(2)} M/s, ${bars} bars, ${synergies} synergies, ${refused} refused\n`,
    );
  }
}
