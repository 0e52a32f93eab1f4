import { ensure } from "../../core/base/assert.js";
import { calendarOf } from "../../core/market/session.js";
import { resolveDecisionTerms } from "../../core/synergy/decision-terms.js";
import { type EngineTerms, TickEngine } from "../../core/synergy/engine.js";
import { sha256 } from "../../platform/sha256.js";
import type { BegunState } from "./messages.js";
import type { Shards } from "./shards.js";
import type { Sink } from "./sink.js";
import type { KeptState } from "./state-store.js";
import type { TickLog } from "./tick-log.js";

/** Grows with whatever changes what a state means without changing its length. */
const STATE_VERSION = 4;
/** Groups are kept so long, ms: a batch that is sent again under its key within it is known. */
const KEEP_GROUPS_MS = 600_000;

/** States that are kept by one statement: a few megabytes. */
const AT_ONCE = 32;

/** States of symbols, kept from time to time, and groups that are not needed any more forgotten. */
export interface Checkpoints {
  /** The state to go on from; null where another program kept it. */
  read(kept: KeptState): BegunState | null;
  save(): Promise<void>;
}

export function createCheckpoints(parts: {
  readonly settings: { readonly terms: EngineTerms };
  readonly shards: Pick<Shards, "save">;
  readonly sink: Pick<Sink, "reached">;
  readonly saveStates: (states: readonly KeptState[]) => Promise<void>;
  readonly tickLog: Pick<TickLog, "forget">;
  readonly now: () => number;
}): Checkpoints {
  const { settings, shards, sink, saveStates, tickLog, now } = parts;
  const layout = layoutOf(settings.terms);
  /** States that the engine gave and that are not kept yet. */
  const unsaved = new Map<string, KeptState>();

  return {
    read({ layout: other, sequence, state }) {
      if (other !== layout || state.length % 8 !== 0) return null;
      return { sequence, state: new Float64Array(state.slice().buffer) };
    },
    async save() {
      const replies = await shards.save();
      for (const { symbols, states, sequence } of replies) {
        for (const [k, symbol] of symbols.entries()) {
          const { buffer, byteOffset, byteLength } = states[k];
          const state = new Uint8Array(buffer, byteOffset, byteLength);
          unsaved.set(symbol, { symbol, sequence, layout, state });
        }
      }
      const upTo = Math.min(...replies.map(({ sequence }) => sequence));
      // What came before a state must be stored before it is: a restart does not find it again.
      await sink.reached(upTo);
      const all = [...unsaved.values()];
      for (let from = 0; from < all.length; from += AT_ONCE) {
        const states = all.slice(from, from + AT_ONCE);
        await saveStates(states);
        for (const each of states) if (unsaved.get(each.symbol) === each) unsaved.delete(each.symbol);
      }
      await tickLog.forget(upTo, now() - KEEP_GROUPS_MS);
    },
  };
}

/** What a state stands on; limits of the guard and of the clock hold from the next tick on, whatever they were. */
function layoutOf(terms: EngineTerms): string {
  const { bars, shorter, longer, legs, sequence } = terms;
  const made = [bars.base, bars.longer, shorter, longer, legs, sequence];
  const engine = new TickEngine(1, terms);
  const { terms: decision } = resolveDecisionTerms({});
  engine.open({
    calendar: calendarOf("24x7"),
    decision: ensure(decision, "the presets are sound"),
    pointValue: 1,
    rate: 1,
    costShare: 0,
  });
  return sha256(JSON.stringify([STATE_VERSION, made, engine.stateLength]));
}
