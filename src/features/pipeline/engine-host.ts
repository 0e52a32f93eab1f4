import type { Worker } from "node:worker_threads";
import { ensure } from "../../core/base/assert.js";
import { Board } from "../../core/synergy/board.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import { BOARD_LAYOUT, type BoardPart } from "../../core/synergy/track.js";
import type { Ticks } from "../../core/ticks/tick.js";
import { AppError } from "../../platform/errors.js";
import { startThread } from "../../platform/workers.js";
import type { BegunState, FedReply, OpenSymbol, Order, Reply, SavedReply, ThreadSetup } from "./messages.js";

/** The thread that turns ticks into decisions, as its owner speaks to it: orders are done in their order. */
export interface EngineHost {
  /** @param states of each symbol the state to go on from, null to begin anew. */
  open(symbols: readonly OpenSymbol[], states: readonly (BegunState | null)[]): Promise<void>;
  feed(sequence: number, receivedAt: number, ticks: Ticks): Promise<FedReply>;
  /** Time has passed. */
  pass(sequence: number, nowMs: number): Promise<FedReply>;
  /** The recordings of symbols have ended. */
  end(sequence: number, symbols: readonly number[]): Promise<FedReply>;
  /** States of all symbols that changed since they were saved last, as of the newest feed. */
  save(): Promise<SavedReply>;
  /** What is known of symbols now, without asking the thread. */
  readonly board: Board<BoardPart>;
  stop(): Promise<void>;
}

export interface EngineSetup {
  readonly terms: EngineTerms;
  /** Symbols that there is room for. */
  readonly capacity: number;
  readonly equity: number;
}

/**
 * Orders that a thread ended before are failed with `overloaded`: what was fed to it is kept, and done again.
 * @param onDeath told of a thread that ended by itself.
 */
export function startEngine(setup: EngineSetup, onDeath: (error: Error) => void): EngineHost {
  const memory = new SharedArrayBuffer(Board.byteLength(BOARD_LAYOUT, setup.capacity));
  const worker: Worker = startThread(new URL("./engine-thread.js", import.meta.url), {
    ...setup,
    board: memory,
  } satisfies ThreadSetup);
  const waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  let ended: Error | null = null;
  let isStopping = false;

  function end(error: Error): void {
    if (ended !== null) return;
    ended = new AppError("overloaded", "The pipeline begins again from what was kept", { cause: error });
    for (const { reject } of waiting.splice(0)) reject(ended);
    if (!isStopping) onDeath(error);
  }
  worker.on("message", (reply: Reply) =>
    ensure(waiting.shift(), "an answer without an order").resolve(reply),
  );
  worker.on("error", end);
  worker.on("exit", () => end(new Error("the thread of the pipeline has ended")));

  function order<Answer extends Reply>(what: Order): Promise<Answer> {
    if (ended !== null) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      waiting.push({ resolve: (reply) => resolve(reply as Answer), reject });
      worker.postMessage(what);
    });
  }

  return {
    async open(symbols, states) {
      await order({ kind: "open", symbols, states });
    },
    feed: (sequence, receivedAt, ticks) => order<FedReply>({ kind: "feed", sequence, receivedAt, ticks }),
    pass: (sequence, nowMs) => order<FedReply>({ kind: "pass", sequence, nowMs }),
    end: (sequence, symbols) => order<FedReply>({ kind: "end", sequence, symbols }),
    save: () => order<SavedReply>({ kind: "save" }),
    board: new Board(BOARD_LAYOUT, memory, setup.capacity),
    async stop() {
      isStopping = true;
      await worker.terminate();
    },
  };
}
