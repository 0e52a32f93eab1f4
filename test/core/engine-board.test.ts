import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { calendarOf } from "../../src/core/market/session.js";
import { Board } from "../../src/core/synergy/board.js";
import { resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { ENGINE_TERMS, TickEngine } from "../../src/core/synergy/engine.js";
import { BOARD_LAYOUT, FACT_CLOSE, FACT_LONGER, FACT_SHORTER } from "../../src/core/synergy/track.js";
import { startThread } from "../../src/platform/workers.js";
import { BOARD_PARTS, checksumInto } from "../fixtures/board-sums.js";
import { createTestEngine, runEngine } from "../fixtures/engines.js";
import { walkTicks } from "../fixtures/tick-bars.js";

const SYMBOLS = 3;
const READS = 100_000;

function memoryOf(layout: Readonly<Record<string, number>>, symbols: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Board.byteLength(layout, symbols));
}

describe("a board that another thread writes to", () => {
  it("is never read torn, in 100,000 reads, and never waited for", async () => {
    const memory = memoryOf(BOARD_PARTS, SYMBOLS);
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const thread = new URL("../fixtures/board-thread.js", import.meta.url);
    const worker = startThread(thread, { memory, stop, symbols: SYMBOLS });
    const written = new Promise<number>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    const board = new Board(BOARD_PARTS, memory, SYMBOLS);
    while ((board.read(SYMBOLS - 1)?.sums[0] ?? 0) === 0) await new Promise((done) => setTimeout(done, 5));
    const found = { whole: 0, torn: 0, missed: 0, backwards: 0 };
    const newest = new Float64Array(SYMBOLS);
    const rounds = new Set<number>();
    const sums = new Float64Array(3);
    const columns = Array.from({ length: SYMBOLS }, (_, s) => [
      board.column(s, "figures"),
      board.column(s, "sums"),
    ]);
    let unguarded = 0;
    for (let i = 0; found.whole + found.torn < READS; i++) {
      const s = i % SYMBOLS;
      const read = board.read(s);
      if (read === null) {
        // The machine stopped the writer in the middle: it is given up on, not waited for.
        found.missed++;
        continue;
      }
      checksumInto(read.figures, sums, read.sums[0]);
      if (read.sums.every((value, k) => value === sums[k])) found.whole++;
      else found.torn++;
      if (read.sums[0] < newest[s]) found.backwards++;
      newest[s] = read.sums[0];
      if (rounds.size < 5_000) rounds.add(read.sums[0]);
      // The same without asking whether somebody writes.
      checksumInto(columns[s][0], sums, 0);
      if (columns[s][1][1] !== sums[1] || columns[s][1][2] !== sums[2]) unguarded++;
    }
    Atomics.store(stop, 0, 1);
    const count = await written;
    await worker.terminate();
    process.stdout.write(
      `board: ${JSON.stringify(found)}, ${rounds.size} writings seen of ${count}, ${unguarded} torn where nobody asks\n`,
    );
    expect([found.torn, found.backwards]).toEqual([0, 0]);
    expect(rounds.size).toBeGreaterThan(100);
    expect(unguarded).toBeGreaterThan(0);
  }, 60_000);
});

describe("a board", () => {
  it("tells that a symbol is being written to, and reads it again when that is done", () => {
    const board = new Board({ a: 2, b: 3 }, memoryOf({ a: 2, b: 3 }, 2), 2);
    board.open(1);
    board.column(1, "a").fill(7);
    expect(board.read(1)).toBeNull();
    expect([...ensure(board.read(0), "another").a]).toEqual([0, 0]);
    board.column(1, "b").fill(8);
    board.close(1);
    const read = ensure(board.read(1), "whole");
    expect([[...read.a], [...read.b]]).toEqual([
      [7, 7],
      [8, 8, 8],
    ]);
    board.column(1, "a").fill(9);
    expect([...read.a]).toEqual([7, 7]);
  });

  it("needs memory for all its symbols", () => {
    expect(() => new Board({ a: 2 }, new SharedArrayBuffer(16), 2)).toThrow("room");
  });

  it("shows what an engine knows of each symbol, after ticks and after loading", () => {
    const { terms } = resolveDecisionTerms({});
    if (terms === null) throw new Error("terms");
    const calendar = calendarOf("24x7");
    const boardOf = () => new Board(BOARD_LAYOUT, memoryOf(BOARD_LAYOUT, 2), 2);
    const engineOn = (board: Board<keyof typeof BOARD_LAYOUT>) => {
      const engine = new TickEngine(2, ENGINE_TERMS, board);
      for (let s = 0; s < 2; s++)
        engine.open({ calendar, decision: terms, pointValue: 1, rate: 1, costShare: 0.0005 });
      engine.setAccount(100_000, 0, () => false);
      return engine;
    };
    const board = boardOf();
    const engine = engineOn(board);
    const ticks = walkTicks(9, 9_000, { symbols: 2, meanMs: 60_000 });
    const { bars } = runEngine(engine, ticks);
    const plain = createTestEngine([calendar, calendar]);
    expect(runEngine(plain, ticks).bars).toEqual(bars);
    const other = boardOf();
    const loaded = engineOn(other);
    for (let s = 0; s < 2; s++) {
      loaded.load(s, engine.save(s));
      const read = ensure(board.read(s), "whole");
      for (const part of ["structure", "tactical", "regime"] as const) {
        expect(read[part]).toEqual(plain.tracks[s][part].state);
      }
      expect(read.facts).toEqual(plain.tracks[s].facts);
      const [short, long] = [0, 1].map((level) =>
        bars.filter((bar) => bar.symbol === s && bar.level === level),
      );
      expect([read.facts[FACT_SHORTER], read.facts[FACT_LONGER]]).toEqual([short.length, long.length]);
      expect(read.facts[FACT_CLOSE]).toBe(short[short.length - 1].figures[4]);
      expect(other.read(s)).toEqual(read);
    }
  });
});
