import { calendarOf } from "../../core/market/session.js";
import { Board } from "../../core/synergy/board.js";
import { TickEngine } from "../../core/synergy/engine.js";
import type { Findings, FoundSynergy } from "../../core/synergy/findings.js";
import { recallBars } from "../../core/synergy/recall.js";
import { BOARD_LAYOUT } from "../../core/synergy/track.js";
import type { BarColumns } from "../../core/ticks/bar-columns.js";
import type { BegunState, FedReply, Order, Reply, SavedReply, ThreadSetup } from "./messages.js";

/** A reply, and the buffers that may move with it. */
export interface Answered {
  readonly reply: Reply;
  readonly buffers: readonly ArrayBuffer[];
}

/** An engine that does orders one after another. */
export function createOrders({ terms, capacity, equity, board }: ThreadSetup): (order: Order) => Answered {
  const engine = new TickEngine(capacity, terms, new Board(BOARD_LAYOUT, board, capacity));
  // No account is asked: nothing is known of its positions.
  engine.setAccount(equity, Number.NaN, () => false);
  const names: string[] = [];
  /** By number, the group that the symbol began after. */
  const begins: number[] = [];
  /** 1 for symbols that have changed since they were saved. */
  const changed = new Uint8Array(capacity);
  let sequence = 0;

  function open({ symbols, states }: Order & { kind: "open" }): Answered {
    for (const [k, { symbol, calendar, ...listing }] of symbols.entries()) {
      const number = engine.open({ ...listing, calendar: calendarOf(calendar) });
      names[number] = symbol;
      begin(number, states[k]);
    }
    return { reply: { kind: "opened" }, buffers: [] };
  }

  function begin(number: number, begun: BegunState | null): void {
    begins[number] = begun?.sequence ?? 0;
    if (begun === null) return;
    if (begun.state === null) {
      engine.cut(number);
      if (begun.stored !== undefined) recallBars(engine, number, begun.stored);
    } else engine.load(number, begun.state);
  }

  function feed({ sequence: place, receivedAt, ticks }: Order & { kind: "feed" }): Answered {
    const started = performance.now();
    const count = ticks.time.length;
    const verdicts = new Uint8Array(count);
    const found = collect();
    engine.begin(receivedAt);
    for (let at = 0; at < count; ) {
      at = engine.take(ticks, at, count, verdicts);
      found.take(engine.findings);
    }
    for (let i = 0; i < count; i++) changed[ticks.symbol[i]] = 1;
    sequence = place;
    return fed(engine, sequence, verdicts, found, started);
  }

  function pass({ sequence: place, nowMs }: Order & { kind: "pass" }): Answered {
    const started = performance.now();
    const found = collect();
    engine.begin(Number.NaN);
    for (let s = 0; s < engine.symbols; s++) {
      // What a state was saved after has been in it.
      if (begins[s] >= place || engine.pass(s, nowMs) === 0) continue;
      changed[s] = 1;
      if (engine.findings.isFull) found.take(engine.findings);
    }
    found.take(engine.findings);
    sequence = place;
    return fed(engine, sequence, new Uint8Array(0), found, started);
  }

  function end({ sequence: place, symbols }: Order & { kind: "end" }): Answered {
    const started = performance.now();
    const found = collect();
    engine.begin(Number.NaN);
    for (const s of symbols) {
      if (begins[s] >= place || engine.finish(s) === 0) continue;
      changed[s] = 1;
      if (engine.findings.isFull) found.take(engine.findings);
    }
    found.take(engine.findings);
    sequence = place;
    return fed(engine, sequence, new Uint8Array(0), found, started);
  }

  function save(): Answered {
    const numbers = names.flatMap((_, number) => (changed[number] === 1 ? [number] : []));
    changed.fill(0);
    const states = numbers.map((number) => engine.save(number));
    const symbols = numbers.map((number) => names[number]);
    const reply: SavedReply = { kind: "saved", sequence, symbols, states };
    return { reply, buffers: states.map(({ buffer }) => buffer as ArrayBuffer) };
  }

  return (order) => {
    if (order.kind === "open") return open(order);
    if (order.kind === "feed") return feed(order);
    if (order.kind === "end") return end(order);
    return order.kind === "pass" ? pass(order) : save();
  };
}

function fed(
  { confirmed, refuted }: Pick<TickEngine, "confirmed" | "refuted">,
  sequence: number,
  verdicts: Uint8Array<ArrayBuffer>,
  { bars, synergies }: ReturnType<typeof collect>,
  started: number,
): Answered {
  const buffers = [verdicts.buffer, ...bars.flatMap((columns) => Object.values(columns).map(bufferOf))];
  const tookMs = performance.now() - started;
  const reply: FedReply = { kind: "fed", sequence, verdicts, confirmed, refuted, bars, synergies, tookMs };
  return { reply, buffers };
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
      if (findings.bars > 0) bars.push(findings.copyOf(findings.bars));
      synergies.push(...findings.synergies);
      findings.clear();
    },
  };
}
