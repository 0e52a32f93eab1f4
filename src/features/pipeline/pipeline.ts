import type { Interval } from "../../core/market/interval.js";
import type { DecisionTerms } from "../../core/synergy/decision-terms.js";
import type { BoardColumns } from "../../core/synergy/track.js";
import type { TickBatch } from "../../core/ticks/batch.js";
import type { RefusedRow } from "../../core/ticks/read-ndjson.js";
import { pickTicks } from "../../core/ticks/tick.js";
import { ACCEPTED, HELD, VERDICTS } from "../../core/ticks/verdict.js";
import { AppError } from "../../platform/errors.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Counts } from "./counts.js";
import { createOwnership, type OwnershipParts, type PipelineState } from "./ownership.js";
import type { PipelineStore } from "./store.js";

/** Ticks as they were sent. */
export interface SentTicks extends TickBatch {
  /** Of each tick the row it was. */
  readonly row: Int32Array;
  /** Rows that are no ticks. */
  readonly refused: readonly RefusedRow[];
}

/** What became of the rows of a batch. */
export interface Receipt {
  /** Null for a batch that was answered before a restart. */
  readonly accepted: number | null;
  readonly rejected: readonly RefusedRow[];
  /** Rows far from the price before them, which the next tick of their symbol will confirm or refute. */
  readonly held: readonly number[];
  /** Answered before under the same key. */
  readonly repeated: boolean;
}

export interface Pipeline {
  /**
   * Takes ticks: once it is answered, what was accepted is kept.
   * @param source whose ticks they are: of a symbol those of one source at a time are taken.
   * @param key chosen by the sender, under which a batch is taken once.
   * @throws {AppError} `overloaded`, `pipeline_elsewhere`, `database_unavailable`, `shutting_down`.
   */
  take(sent: SentTicks, source: string, key?: string | null): Promise<Receipt>;
  /** What is known of a symbol now. @throws {AppError} `no_data` for one without ticks. */
  look(symbol: string): Promise<BoardColumns>;
  symbols(): readonly string[];
  waiting(): { readonly ticks: number; readonly outcomes: number };
  state(): PipelineState;
  readonly counts: Counts;
  readonly store: PipelineStore;
  readonly terms: DecisionTerms;
  readonly intervals: readonly Interval[];
  readonly loop: LoopDefinition;
  /** Stores all that was taken, and lets others take over. */
  stop(): Promise<void>;
}

/** A symbol is another source's for so long after its last tick of one. */
const SOURCE_MS = 3_600_000;
/** Symbols of which it is remembered whose they are. */
const SYMBOLS = 65_536;

export interface PipelineParts extends Omit<OwnershipParts, "isBegun"> {
  /** Why a symbol is not taken; null for one that is. */
  readonly refusalOf: (symbol: string) => string | null;
  readonly counts: Counts;
  readonly store: PipelineStore;
  readonly terms: DecisionTerms;
  readonly intervals: readonly Interval[];
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { counts, store, terms, intervals } = parts;
  const owner = createOwnership({ ...parts, isBegun: store.isBegun });
  const refusal = createSourceRule(parts);

  async function takeRows(sent: SentTicks, rows: Int32Array, key: string | null) {
    owner.touch();
    const session = await owner.ensure();
    const { symbols, ticks } = sent;
    return session.take({ symbols, ticks: pickTicks(ticks, rows) }, key);
  }

  return {
    async take(sent, source, key = null) {
      const started = performance.now();
      const refusals = sent.symbols.map((symbol) => refusal(symbol, source));
      const rejected = [...sent.refused];
      const kept: number[] = [];
      for (let i = 0; i < sent.row.length; i++) {
        const reason = refusals[sent.ticks.symbol[i]];
        if (reason === null) kept.push(i);
        else rejected.push({ index: sent.row[i], reason });
      }
      const held: number[] = [];
      let accepted: number | null = 0;
      let repeated = false;
      if (kept.length > 0) {
        const answer = await takeRows(sent, Int32Array.from(kept), key);
        ({ repeated } = answer);
        if (answer.verdicts === null) accepted = null;
        else {
          for (const [k, verdict] of answer.verdicts.entries()) {
            if (verdict === ACCEPTED) accepted++;
            else if (verdict === HELD) held.push(sent.row[kept[k]]);
            else rejected.push({ index: sent.row[kept[k]], reason: VERDICTS[verdict] });
          }
        }
      }
      counts.time("answer", performance.now() - started);
      rejected.sort((a, b) => a.index - b.index);
      return { accepted, rejected, held, repeated };
    },
    async look(symbol) {
      const session = owner.current() ?? ((await store.isBegun()) ? await owner.ensure() : null);
      const number = session?.numberOf(symbol) ?? null;
      if (session === null || number === null) {
        throw new AppError("no_data", `No ticks of ${symbol} were taken`);
      }
      const found = session.look(number);
      if (found === null) throw new AppError("overloaded", "The pipeline is busy", { retryAfterS: 1 });
      return found;
    },
    symbols: () => owner.current()?.symbols() ?? [],
    waiting: () => owner.current()?.waiting() ?? { ticks: 0, outcomes: 0 },
    state: owner.state,
    ...{ counts, store, terms, intervals },
    loop: owner.loop,
    stop: owner.stop,
  };
}

/** Why ticks of a symbol from a source are not taken: of each symbol those of one source at a time are. */
function createSourceRule({ refusalOf, now }: Pick<PipelineParts, "refusalOf" | "now">) {
  const sources = new Map<string, { source: string; at: number }>();
  return (symbol: string, source: string): string | null => {
    const known = sources.get(symbol);
    if (known !== undefined && known.source !== source && now() - known.at < SOURCE_MS) {
      return `other_source: ticks of ${symbol} come from ${known.source}`;
    }
    const reason = known === undefined ? refusalOf(symbol) : null;
    if (reason !== null) return reason;
    if (known === undefined && sources.size >= SYMBOLS) return "no_room: too many symbols";
    sources.set(symbol, { source, at: now() });
    return null;
  };
}
