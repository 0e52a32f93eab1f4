import { createRng, shuffle } from "../base/rng.js";
import { defineStrategy, type SymbolStrategy } from "../strategies/define.js";
import type { Masks } from "./mask.js";

/** How long something is held, in bars from its entry to its exit, and on which side. */
export interface Holding {
  readonly bars: number;
  readonly way: 1 | -1;
}

/** When a random draw enters, by bar: 1 for long, -1 for short, else 0; and when it leaves, 1 or 0. */
interface Drawn {
  readonly ways: Int8Array;
  readonly exits: Uint8Array;
}

/**
 * A strategy of one symbol that holds as often, as long and on the same sides as another, in any order and at any other
 * times: entries are as likely at each bar, and none overlap. Null where so much does not fit into `bars` bars.
 */
export function randomEntries(
  holdings: readonly Holding[],
  bars: number,
  seed: number,
): SymbolStrategy | null {
  const drawn = drawEntries(holdings, bars, seed);
  if (drawn === null) return null;
  return defineStrategy({
    id: "random_entries",
    title: "Random Entries",
    description: "Holds as often and as long as another strategy, at random times.",
    parameters: {},
    warmup: () => 0,
    declare: () => drawn,
    walk(stand) {
      const { columns, i } = stand;
      if (columns.exits[i] === 1) stand.exit("its time is over");
      const way = columns.ways[i];
      if (way === 1 || way === -1) stand.enter(way, { why: "random" });
    },
  });
}

/** The same draw as masks, which trade without a strategy; null where it does not fit or some holdings are short. */
export function randomMasks(holdings: readonly Holding[], bars: number, seed: number): Masks | null {
  if (holdings.some(({ way }) => way < 0)) return null;
  const drawn = drawEntries(holdings, bars, seed);
  return drawn && { entries: Uint8Array.from(drawn.ways), exits: drawn.exits, side: "long" };
}

function drawEntries(holdings: readonly Holding[], bars: number, seed: number): Drawn | null {
  // An entry is decided a bar before it is filled, and an exit too: each holding takes a bar more than it lasts.
  const needed = holdings.reduce((sum, holding) => sum + Math.max(1, holding.bars) + 1, 0);
  const free = bars - 1 - needed;
  if (holdings.length === 0 || free < 0) return null;
  const rng = createRng(seed);
  const order = [...holdings];
  shuffle(order, rng);
  const starts = Float64Array.from(order, () => rng.below(free + 1)).sort();
  const ways = new Int8Array(bars);
  const exits = new Uint8Array(bars);
  let taken = 0;
  for (const [k, { bars: lasts, way }] of order.entries()) {
    const at = starts[k] + taken;
    ways[at] = way;
    exits[at + Math.max(1, lasts)] = 1;
    taken += Math.max(1, lasts) + 1;
  }
  return { ways, exits };
}
