import { assert } from "../base/assert.js";
import { defineStrategy, type SymbolStrategy } from "../strategies/define.js";

/** Where to get in and where to get out, by bar: 1 where it is asked for at the close, else 0. */
export interface Masks {
  readonly entries: Uint8Array;
  readonly exits: Uint8Array;
  /**
   * `long`: exits lead to nothing held. `both`: they lead to a short position. A bar that asks for both asks for
   * nothing, unless what is held is long alone, which it ends.
   */
  readonly side: "long" | "both";
}

/** The strategy that trades masks, one symbol alone. */
export function maskStrategy({ entries, exits, side }: Masks): SymbolStrategy {
  assert(entries.length === exits.length, "masks have one length");
  return defineStrategy({
    id: "masks",
    title: "Masks",
    description: "Enters and leaves where it is told to, bar by bar.",
    parameters: {},
    warmup: () => 0,
    declare({ time }) {
      assert(time.length <= entries.length, "masks have a place for each bar");
      return { entries, exits };
    },
    walk:
      side === "long"
        ? (stand) => {
            const { i, columns } = stand;
            if (stand.held > 0) {
              if (columns.exits[i] === 1) stand.exit();
            } else if (columns.entries[i] === 1 && columns.exits[i] !== 1) stand.enter(1);
          }
        : (stand) => {
            const { i, columns } = stand;
            if (columns.entries[i] === columns.exits[i]) return;
            stand.enter(columns.entries[i] === 1 ? 1 : -1);
          },
  });
}
