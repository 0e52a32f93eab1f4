import { parentPort, workerData } from "node:worker_threads";
import { ensure } from "../../core/base/assert.js";
import { calendarOf } from "../../core/market/session.js";
import { Board } from "../../core/synergy/board.js";
import { TickEngine } from "../../core/synergy/engine.js";
import type { Findings, FoundSynergy } from "../../core/synergy/findings.js";
import { BOARD_LAYOUT } from "../../core/synergy/track.js";
import type { BarColumns, Order, Reply, ThreadSetup } from "./messages.js";

// A thread that turns ticks into bars and decisions, one order after another.

const port = ensure(parentPort, "the engine runs in a thread of its own");
const { terms, capacity, equity, board } = workerData as ThreadSetup;
const engine = new TickEngine(capacity, terms, new Board(BOARD_LAYOUT, board, capacity));
engine.setAccount(equity, 0, () => false);
const names: string[] = [];
/** By number, the group that the symbol began after. */
const begins: number[] = [];
const changed = new Set<number>();
let sequence = 0;

port.on("message", (order: Order) => {
  if (order.kind === "open") open(order);
  else if (order.kind === "feed") feed(order);
  else if (order.kind === "pass") pass(order);
  else if (order.kind === "save") save();
  else port.close();
});

function reply(answer: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(answer, transfer);
}

function open({ symbols, states }: Order & { kind: "open" }): void {
  for (const [k, { symbol, calendar, decision, pointValue, costShare }] of symbols.entries()) {
    const number = engine.open({ calendar: calendarOf(calendar), decision, pointValue, costShare });
    names[number] = symbol;
    const begun = states[k];
    begins[number] = begun?.sequence ?? 0;
    if (begun !== null) engine.load(number, begun.state);
  }
  reply({ kind: "opened", stateLength: engine.symbols > 0 ? engine.stateLength : 0 });
}

function feed({ sequence: place, receivedAt, ticks }: Order & { kind: "feed" }): void {
  const started = performance.now();
  const count = ticks.time.length;
  const verdicts = new Uint8Array(count);
  const found = collect();
  engine.begin(receivedAt);
  for (let at = 0; at < count; ) {
    at = engine.take(ticks, at, count, verdicts);
    found.take(engine.findings);
  }
  for (let i = 0; i < count; i++) changed.add(ticks.symbol[i]);
  sequence = place;
  answer(verdicts, found, started);
}

function pass({ sequence: place, nowMs }: Order & { kind: "pass" }): void {
  const started = performance.now();
  const found = collect();
  for (let s = 0; s < engine.symbols; s++) {
    // What a state was saved after has been in it.
    if (begins[s] >= place || engine.pass(s, nowMs) === 0) continue;
    changed.add(s);
    if (engine.findings.isFull) found.take(engine.findings);
  }
  found.take(engine.findings);
  sequence = place;
  answer(new Uint8Array(0), found, started);
}

function answer(verdicts: Uint8Array<ArrayBuffer>, found: ReturnType<typeof collect>, started: number): void {
  const { bars, synergies } = found;
  const buffers = [verdicts.buffer, ...bars.flatMap((columns) => Object.values(columns).map(bufferOf))];
  const tookMs = performance.now() - started;
  reply({ kind: "fed", sequence, verdicts, bars, synergies, tookMs }, buffers);
}

const bufferOf = (column: BarColumns[keyof BarColumns]) => column.buffer as ArrayBuffer;

/** Copies of what was found, and clears it. */
function collect() {
  const bars: BarColumns[] = [];
  const synergies: FoundSynergy[] = [];
  return {
    bars,
    synergies,
    take(findings: Findings): void {
      if (findings.bars > 0) bars.push(columnsOf(findings));
      synergies.push(...findings.synergies);
      findings.clear();
    },
  };
}

function columnsOf(findings: Findings): BarColumns {
  const cut = <Column extends Uint16Array | Uint8Array | Float64Array>(column: Column) =>
    column.slice(0, findings.bars) as Column;
  return {
    symbol: cut(findings.symbol),
    interval: cut(findings.interval),
    time: cut(findings.time),
    open: cut(findings.open),
    high: cut(findings.high),
    low: cut(findings.low),
    close: cut(findings.close),
    volume: cut(findings.volume),
    count: cut(findings.count),
    vwap: cut(findings.vwap),
    pressure: cut(findings.pressure),
    slot: cut(findings.slot),
  };
}

function save(): void {
  const numbers = [...changed].sort((a, b) => a - b);
  changed.clear();
  const states = numbers.map((number) => engine.save(number));
  const symbols = numbers.map((number) => names[number]);
  reply(
    { kind: "saved", sequence, symbols, states },
    states.map(({ buffer }) => buffer as ArrayBuffer),
  );
}
