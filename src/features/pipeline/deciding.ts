import { finiteOrNull } from "../../core/base/finite.js";
import { FEATURE_MEMORY } from "../../core/learning/features/index.js";
import { type Candles, candlesFromRows } from "../../core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import {
  DECISION_OUTPUTS,
  DECISION_RULES,
  type DecisionRule,
  decideInto,
  IN_EQUITY,
  IN_HELD,
  IN_POSITIONS,
  IN_SCORE,
  OUT_STOP,
  OUT_TARGET,
} from "../../core/synergy/decision.js";
import { patternOfSynergy } from "../../core/synergy/sequence.js";
import { apart, inTime } from "../../platform/deadline.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { NewSnapshot } from "../models/scores.js";
import type { TradeScore, TradeScoring } from "../models/trade-scoring.js";
import { tooLate } from "./decision-orders.js";
import type { NewSynergy } from "./decision-store.js";
import { synergyRow, type Undecided } from "./found.js";
import type { Look, TradedAccount } from "./paper-account.js";
import type { PipelineStore, TickBar } from "./store.js";

/** A synergy that is decided on, and what is kept with it. */
export interface Decided {
  readonly synergy: NewSynergy;
  /** What it is traded as; why that is not known, where it is text. */
  readonly instrument: KnownInstrument | string;
  /** What a model was shown; null where none was asked. */
  readonly snapshot: NewSnapshot | null;
}

/**
 * Decides on synergies as they were found, in their order: by what the engine knew, by the model that serves, and by the
 * account that is traded in. What they do not know is told and not asked for.
 * @param bars that have closed and may not be stored yet.
 */
export type Deciding = (found: readonly Undecided[], bars: readonly TickBar[]) => Promise<Decided[]>;

export interface DecidingParts {
  readonly instrumentOf: (symbol: string) => Promise<KnownInstrument | string>;
  readonly listBars: PipelineStore["listBars"];
  /** Of synergies. */
  readonly interval: Interval;
  readonly askModel: TradeScoring;
  /** Null where decisions go to no account. */
  readonly account: TradedAccount | null;
  /** An order is placed no later after the close at which it was decided: of what is older nobody is asked. */
  readonly mostOrderAgeMs: number;
  readonly now: () => number;
  readonly log: Log;
  /** How long a model or the account is waited for. */
  readonly patienceMs?: number;
}

/** Rules that are asked before a model. */
const FIRST: ReadonlySet<DecisionRule | null> = new Set([
  "warming_up",
  "market_closed",
  "quality_below_least",
]);
const NO_LEVELS = "there is no stop or target to ask it of";
const OF_BEFORE = "it was decided long after the close, of which a model may have learned what came next";
const REFUSED_BEFORE = "it was refused before one was asked";
/** Bars wait to be stored meanwhile. */
const PATIENCE_MS = 10_000;

/** What was asked together, and what it came to so far. */
interface Turn {
  readonly bars: readonly TickBar[];
  readonly hearModel: Hearing;
  readonly hearAccount: Hearing;
  /** Symbols that its decisions will hold: they have no positions yet. */
  readonly held: Set<string>;
}

export function createDeciding(parts: DecidingParts): Deciding {
  const { instrumentOf, account, mostOrderAgeMs, now, patienceMs = PATIENCE_MS } = parts;
  const ask = createAsking(parts);

  /** Null where there is no account to look at, or no need to. */
  async function lookFor({ symbol }: Undecided, isRefused: boolean, late: string | null, hear: Hearing) {
    if (account === null || isRefused) return null;
    if (late !== null) return { why: late };
    return hear<Look>(
      () => account.look(symbol),
      (reason) => ({ why: `the account could not be asked: ${reason}` }),
    );
  }

  async function hearOf(
    each: Undecided,
    instrument: KnownInstrument | string,
    late: string | null,
    turn: Turn,
  ) {
    if (FIRST.has(each.found.refusedBy)) return { score: null, reason: REFUSED_BEFORE } as const;
    if (late !== null) return { score: null, reason: OF_BEFORE } as const;
    return turn.hearModel<TradeScore>(
      () => ask(each, instrument, turn.bars),
      (reason) => ({ score: null, reason: `a model could not be asked: ${reason}` }),
    );
  }

  async function decide(each: Undecided, instrument: KnownInstrument | string, turn: Turn) {
    const { held } = turn;
    const { found, symbol, terms } = each;
    const isRefused = FIRST.has(found.refusedBy);
    const late = tooLate(found.knownAt, now(), mostOrderAgeMs);
    const opinion = await hearOf(each, instrument, late, turn);
    const look = await lookFor(each, isRefused, late, turn.hearAccount);
    const inputs = found.inputs.slice();
    inputs[IN_SCORE] = opinion.score ?? Number.NaN;
    if (look?.why === null) takeIn(inputs, look, held.has(symbol), held.size);
    const outputs = new Float64Array(DECISION_OUTPUTS.length);
    const refusal = decideInto(inputs, terms, outputs);
    const refusedBy = refusal === 0 ? null : DECISION_RULES[refusal - 1].name;
    // What is ordered of it counts; where the account was not asked nothing is.
    if (refusedBy === null && look?.why === null) held.add(symbol);
    const said =
      opinion.score === null
        ? { score: null, version: null, why: opinion.reason }
        : { score: opinion.score, version: opinion.version, why: null };
    const of =
      account === null ? null : { id: account.id, why: isRefused ? REFUSED_BEFORE : (look?.why ?? null) };
    const synergy = synergyRow(
      { ...each, found: { ...found, refusedBy, inputs, outputs } },
      { model: said, account: of },
    );
    return { synergy, instrument, snapshot: opinion.score === null ? null : opinion.snapshot };
  }

  return async (found, bars) => {
    const instruments = await Promise.all(
      found.map(({ symbol }) => apart(patienceMs, () => instrumentOf(symbol))),
    );
    const decided: Decided[] = [];
    const hearing = () => createHearing(patienceMs, parts.log);
    const turn = { bars, hearModel: hearing(), hearAccount: hearing(), held: new Set<string>() };
    for (const [k, each] of found.entries()) decided.push(await decide(each, instruments[k], turn));
    return decided;
  };
}

function takeIn(
  inputs: Float64Array,
  look: Extract<Look, { why: null }>,
  isTaken: boolean,
  taken: number,
): void {
  inputs[IN_EQUITY] = look.equity;
  inputs[IN_POSITIONS] = look.positions + taken;
  inputs[IN_HELD] = Number(look.isHeld || isTaken);
}

/** @throws {AppError} `database_unavailable`; whatever else keeps somebody from answering is told in place of an answer. */
type Hearing = <T>(ask: () => Promise<T>, unheard: (reason: string) => T) => Promise<T>;

class Late extends Error {
  override readonly name = "Late";
}

/** Who does not answer in time is not waited for again in the same turn. */
function createHearing(patienceMs: number, log: Log): Hearing {
  const reason = `no answer came within ${patienceMs / 1_000} s`;
  let isLate = false;
  return async (ask, unheard) => {
    if (isLate) return unheard(reason);
    try {
      // Not in the time of the request whose ticks set this off.
      return await apart(patienceMs, () => inTime(ask(), () => new Late(reason)));
    } catch (error) {
      if (error instanceof AppError && error.code === "database_unavailable") throw error;
      isLate = error instanceof Late;
      log.warn({ err: error }, "a model or an account could not be asked about a synergy");
      return unheard(error instanceof Late || error instanceof AppError ? error.message : FAILED);
    }
  };
}

/** Of what was not foreseen the log tells more. */
const FAILED = "the server failed";

function createAsking({ listBars, interval, askModel }: DecidingParts) {
  async function barsOf(symbol: string, knownAt: number, closed: readonly TickBar[]): Promise<Candles> {
    const stored = await listBars(symbol, interval, { from: 0, to: knownAt, limit: FEATURE_MEMORY });
    const byTime = new Map<number, TickBar>();
    for (const bar of closed)
      if (bar.symbol === symbol && bar.interval === interval && bar.time < knownAt) byTime.set(bar.time, bar);
    for (const bar of stored) byTime.set(bar.time, bar);
    const bars = [...byTime.values()].sort((a, b) => a.time - b.time).slice(-FEATURE_MEMORY);
    return candlesFromRows(symbol, interval, bars);
  }

  return async (
    { found: { type, way, knownAt, quality, outputs }, symbol }: Undecided,
    instrument: KnownInstrument | string,
    closed: readonly TickBar[],
  ): ReturnType<TradeScoring> => {
    if (typeof instrument === "string") return { score: null, reason: instrument };
    const [stop, target] = [finiteOrNull(outputs[OUT_STOP]), finiteOrNull(outputs[OUT_TARGET])];
    if (stop === null || target === null) return { score: null, reason: NO_LEVELS };
    const candles = await barsOf(symbol, knownAt, closed);
    const newest = candles.time[candles.time.length - 1];
    if (newest !== knownAt - INTERVAL_MS[interval]) {
      return { score: null, reason: "the bar at which it was complete is not known any more" };
    }
    const trade = { pattern: patternOfSynergy(type), direction: way, stop, target, quality };
    return askModel(instrument, candles, trade);
  };
}
