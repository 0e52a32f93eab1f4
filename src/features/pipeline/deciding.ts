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
import { AppError, messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { NewSnapshot } from "../models/scores.js";
import type { TradeScoring } from "../models/trade-scoring.js";
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
  readonly log: Log;
}

/** Rules that are asked before a model. */
const FIRST: ReadonlySet<DecisionRule | null> = new Set([
  "warming_up",
  "market_closed",
  "quality_below_least",
]);
const NO_LEVELS = "there is no stop or target to ask it of";
const REFUSED_BEFORE = "it was refused before one was asked";

export function createDeciding(parts: DecidingParts): Deciding {
  const { instrumentOf, account } = parts;
  const ask = createAsking(parts);

  async function decide(
    each: Undecided,
    instrument: KnownInstrument | string,
    bars: readonly TickBar[],
    held: Set<string>,
  ) {
    const { found, symbol, terms } = each;
    const isRefused = FIRST.has(found.refusedBy);
    const opinion = isRefused
      ? ({ score: null, reason: REFUSED_BEFORE } as const)
      : await ask(each, instrument, bars);
    const look = account === null || isRefused ? null : await account.look(symbol);
    const inputs = found.inputs.slice();
    inputs[IN_SCORE] = opinion.score ?? Number.NaN;
    if (look !== null && look.why === null) takeIn(inputs, look, held.has(symbol), held.size);
    const outputs = new Float64Array(DECISION_OUTPUTS.length);
    const refusal = decideInto(inputs, terms, outputs);
    const refusedBy = refusal === 0 ? null : DECISION_RULES[refusal - 1].name;
    if (refusedBy === null) held.add(symbol);
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
    const instruments = await Promise.all(found.map(({ symbol }) => instrumentOf(symbol)));
    const decided: Decided[] = [];
    /** Symbols that decisions of this turn will hold: they have no positions yet. */
    const held = new Set<string>();
    for (const [k, each] of found.entries()) decided.push(await decide(each, instruments[k], bars, held));
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

/** Asks the model that serves; whatever keeps it from answering is told in place of a score. */
function createAsking({ listBars, interval, askModel, log }: DecidingParts) {
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
    const trade = { pattern: `synergy_${type}`, direction: way, stop, target, quality };
    try {
      return await askModel(instrument, candles, trade);
    } catch (error) {
      if (error instanceof AppError && error.code === "database_unavailable") throw error;
      log.warn({ err: error, symbol }, "a model could not be asked about a synergy");
      return { score: null, reason: `a model could not be asked: ${messageOf(error)}` };
    }
  };
}
