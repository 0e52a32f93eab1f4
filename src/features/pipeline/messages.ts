import type { CalendarId } from "../../core/market/calendar.js";
import type { Interval } from "../../core/market/interval.js";
import type { DecisionTerms } from "../../core/synergy/decision-terms.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import type { FoundSynergy } from "../../core/synergy/findings.js";
import type { BarColumns } from "../../core/ticks/bar-columns.js";
import type { Ticks } from "../../core/ticks/tick.js";

/** A symbol as a thread is told of it. Numbers of symbols are those of the thread. */
export interface OpenSymbol {
  readonly symbol: string;
  readonly calendar: CalendarId;
  readonly decision: DecisionTerms;
  readonly pointValue: number;
  readonly rate: number | "inverse";
  readonly costShare: number;
}

/** What a thread begins with. */
export interface ThreadSetup {
  readonly terms: EngineTerms;
  /** Symbols that there is room for. */
  readonly capacity: number;
  readonly equity: number;
  /** Where what is known of each symbol is to be read by others: see `views.ts`. */
  readonly board: SharedArrayBuffer;
}

/** What a symbol goes on from. */
export interface BegunState {
  /** Group that it stands after. */
  readonly sequence: number;
  /** Null to begin anew, where ticks before those that are kept are lost. */
  readonly state: Float64Array | null;
  /** Where there is no state, bars that were stored of the symbol, by the places of their intervals. */
  readonly stored?: BarColumns;
}

export type Order =
  | {
      readonly kind: "open";
      readonly symbols: readonly OpenSymbol[];
      /** Of each the state to go on from; null to begin anew. */
      readonly states: readonly (BegunState | null)[];
    }
  | { readonly kind: "feed"; readonly sequence: number; readonly receivedAt: number; readonly ticks: Ticks }
  | { readonly kind: "pass"; readonly sequence: number; readonly nowMs: number }
  | { readonly kind: "end"; readonly sequence: number; readonly symbols: readonly number[] }
  | { readonly kind: "save" };

export interface FedReply {
  readonly kind: "fed";
  readonly sequence: number;
  readonly verdicts: Uint8Array;
  /** Of ticks that an earlier reply called held, how many were confirmed, and how many refuted. */
  readonly confirmed: number;
  readonly refuted: number;
  /** `symbol` are numbers of the thread, `interval` places among the intervals. */
  readonly bars: readonly BarColumns[];
  readonly synergies: readonly FoundSynergy[];
  /** How long the thread had to do with it, ms. */
  readonly tookMs: number;
}

export interface SavedReply {
  readonly kind: "saved";
  readonly sequence: number;
  /** Symbols that had ticks since they were saved last. */
  readonly symbols: readonly string[];
  readonly states: readonly Float64Array[];
}

export type Reply = FedReply | SavedReply | { readonly kind: "opened" };

/** The intervals that a place in `BarColumns.interval` names. */
export const intervalsOf = ({ bars }: Pick<EngineTerms, "bars">): readonly Interval[] => [
  bars.base,
  ...bars.longer,
];
