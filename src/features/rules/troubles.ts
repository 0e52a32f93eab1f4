import type { GateVerdict } from "../../core/rules/trigger.js";
import type { Database } from "../../platform/database.js";
import type { Watched, WatchStore } from "./watch-store.js";

/** Tells owners of rules what keeps a symbol from being looked at. */
export interface Troubles {
  /** To be called whenever it could not be looked at: what stands in the way is kept, and decided about as it begins. */
  begin(watched: readonly Watched[], why: string): Promise<void>;
  /** To be called whenever it could be. */
  end(watched: readonly Watched[]): Promise<void>;
}

/** Without numbers: a wait that counts down is not written at each look. */
const wordsOf = (text: string) => text.replace(/\d+/g, "");

export function createTroubles({
  database,
  store,
  now,
}: {
  readonly database: Pick<Database, "transaction">;
  readonly store: Pick<WatchStore, "trouble" | "decide">;
  readonly now: () => number;
}): Troubles {
  return {
    async begin(watched, why) {
      if (watched.every(({ trouble }) => trouble !== null && wordsOf(trouble) === wordsOf(why))) return;
      const gates: readonly GateVerdict[] = [
        { gate: "condition_known", passed: false, value: why, limit: true },
      ];
      await database.transaction(async (sql) => {
        const begun = await store.trouble(sql, watched, why);
        // Without bars it is of none: of the moment of the look.
        const decisions = begun.map((each) => ({ watched: each, bar: now(), at: now(), gates }));
        if (decisions.length > 0) await store.decide(sql, decisions);
      });
    },
    async end(watched) {
      const troubled = watched.filter(({ trouble }) => trouble !== null);
      if (troubled.length === 0) return;
      await database.transaction((sql) => store.trouble(sql, troubled, null));
    },
  };
}
