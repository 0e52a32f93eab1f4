import type { Interval } from "../../core/market/interval.js";
import type { DecisionTerms } from "../../core/synergy/decision-terms.js";
import type { BoardColumns } from "../../core/synergy/track.js";
import type { TickBatch } from "../../core/ticks/batch.js";
import type { RefusedRow } from "../../core/ticks/read-ndjson.js";
import { pickTicks } from "../../core/ticks/tick.js";
import { ACCEPTED, HELD, VERDICTS } from "../../core/ticks/verdict.js";
import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { LoopDefinition } from "../../platform/loop.js";
import { inSlices } from "../../platform/slices.js";
import { NO_ROOM } from "./admission.js";
import type { Counts } from "./counts.js";
import { fingerprintOf } from "./group-codec.js";
import { createOwnership, type OwnershipParts, type PipelineState } from "./ownership.js";
import type { Answer, SentAs } from "./session.js";
import { createSources, type Parted } from "./sources.js";
import type { PipelineStore } from "./store.js";

/** Ticks as they were sent. */
export interface SentTicks extends TickBatch {
  /** Of each tick the row it was. */
  readonly row: Int32Array;
  /** Rows that are no ticks. */
  readonly refused: readonly RefusedRow[];
  /** Tells what was sent apart where the ticks do not; nothing where they do. */
  readonly fingerprint?: string;
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
  /** The recording of a symbol has ended: its last bars are closed. @throws {AppError} as `take`. */
  end(symbol: string): Promise<void>;
  /** What is known of a symbol now. @throws {AppError} `no_data` for one without ticks. */
  look(symbol: string): Promise<BoardColumns>;
  symbols(): readonly string[];
  waiting(): { readonly ticks: number; readonly outcomes: number };
  state(): PipelineState;
  readonly now: () => number;
  readonly counts: Counts;
  readonly store: PipelineStore;
  readonly terms: DecisionTerms;
  readonly intervals: readonly Interval[];
  readonly loop: LoopDefinition;
  /** Stores all that was taken, and lets others take over. */
  stop(): Promise<void>;
}

/** Keys are each caller's own. */
export const ownKey = ({ userId }: Pick<Principal, "userId">, key: string | null): string | null =>
  key === null ? null : `${userId} ${key}`;

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
  const sources = createSources(parts.refusalOf, parts.now);

  async function takeKept(sent: SentTicks, { kept, refused }: Parted, source: string, key: string | null) {
    owner.touch();
    const session = await owner.ensure();
    const { symbols, ticks, row } = sent;
    const isWhole = sent.fingerprint === undefined && kept.length === row.length;
    const of: SentAs = {
      fingerprint: key === null ? "" : (sent.fingerprint ?? fingerprintOf(sent)),
      ...{ isWhole, refused, row: Int32Array.from(kept, (i) => row[i]) },
    };
    const picked = { symbols, ticks: pickTicks(ticks, Int32Array.from(kept)) };
    const answer = await session.take(picked, key, of);
    // Where a restart has forgotten as what it was sent, it was sent whole.
    const receipt = receiptOf(answer, answer.of ?? { row, refused: sent.refused });
    if (!answer.repeated && answer.verdicts !== null) {
      const { verdicts } = answer;
      sources.accepted(
        sent,
        kept.filter((_, k) => verdicts[k] === ACCEPTED),
        source,
      );
    }
    return receipt;
  }

  return {
    async take(sent, source, key = null) {
      const started = performance.now();
      const parted = await inSlices(sources.part(sent, source));
      const refused = [...sent.refused, ...parted.refused].sort((a, b) => a.index - b.index);
      const receipt =
        parted.kept.length === 0
          ? { accepted: 0, rejected: refused, held: [], repeated: false }
          : await takeKept(sent, { ...parted, refused }, source, key);
      if (!receipt.repeated) for (const { reason } of refused) counts.refused(reason);
      counts.time("answer", performance.now() - started);
      return receipt;
    },
    async end(symbol) {
      owner.touch();
      const session = await owner.ensure();
      await session.end(symbol);
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
    now: parts.now,
    loop: owner.loop,
    stop: owner.stop,
  };
}

/** What became of rows, by the verdicts on those that were judged. */
function receiptOf(
  { verdicts, repeated }: Answer,
  { row, refused }: Pick<SentAs, "row" | "refused">,
): Receipt {
  if (verdicts === null) return { accepted: null, rejected: refused, held: [], repeated };
  const rejected = [...refused];
  const held: number[] = [];
  let accepted = 0;
  for (const [k, verdict] of verdicts.entries()) {
    if (verdict === ACCEPTED) accepted++;
    else if (verdict === HELD) held.push(row[k]);
    else rejected.push({ index: row[k], reason: verdict === NO_ROOM ? NO_ROOM_REASON : VERDICTS[verdict] });
  }
  rejected.sort((a, b) => a.index - b.index);
  return { accepted, rejected, held, repeated };
}

const NO_ROOM_REASON = "no_room: PIPELINE_SYMBOLS says how many symbols there are";
