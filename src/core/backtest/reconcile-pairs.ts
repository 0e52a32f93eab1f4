import type { SideTrade } from "./reconcile-trades.js";

/** A trade of both sides, or of one alone. */
export interface TradePair {
  readonly paper: SideTrade | null;
  readonly backtest: SideTrade | null;
}

/**
 * Pairs trades one to one, each with one of the same symbol and side, in the order of their entries: pairs do not cross.
 * Two may be a pair whose entries lie at most `tolerance` bars apart. Of all such pairings
 * the cheapest is taken, where a pair costs the bars between its entries
 * and a trade that is left alone (tolerance + 1) / 2: so two that may be a pair are rather paired than both left alone,
 * and each rather with the one it is nearest to. Of equal ones the one whose exits lie nearest, then whose quantities do.
 * @returns every trade once, by entry; whatever the order of the lists. @param tolerance whole bars, 0 or more.
 */
export function pairTrades(
  paper: readonly SideTrade[],
  backtest: readonly SideTrade[],
  tolerance: number,
): TradePair[] {
  const groups = new Map<string, { readonly paper: SideTrade[]; readonly backtest: SideTrade[] }>();
  const groupOf = ({ symbol, side }: SideTrade) => {
    const key = `${symbol} ${side}`;
    const known = groups.get(key) ?? { paper: [], backtest: [] };
    groups.set(key, known);
    return known;
  };
  for (const trade of paper) groupOf(trade).paper.push(trade);
  for (const trade of backtest) groupOf(trade).backtest.push(trade);
  const pairs: TradePair[] = [];
  for (const group of groups.values()) {
    for (const block of blocksOf(group.paper.sort(byEntry), group.backtest.sort(byEntry), tolerance)) {
      pairs.push(...alignBlock(block.paper, block.backtest, tolerance));
    }
  }
  return pairs.sort(byFirstEntry);
}

/** By all that can differ, so that equal lists have equal orders. */
function byEntry(a: SideTrade, b: SideTrade): number {
  return (
    a.entryMs - b.entryMs ||
    (a.exitMs ?? Number.MAX_VALUE) - (b.exitMs ?? Number.MAX_VALUE) ||
    a.quantity - b.quantity ||
    a.entryMicros - b.entryMicros ||
    compareTexts(a.id, b.id)
  );
}

function byFirstEntry(a: TradePair, b: TradePair): number {
  const [one, other] = [a.paper ?? a.backtest, b.paper ?? b.backtest];
  if (one === null || other === null) return 0;
  return (
    one.entryMs - other.entryMs ||
    compareTexts(one.symbol, other.symbol) ||
    compareTexts(one.side, other.side) ||
    Number(a.paper === null) - Number(b.paper === null) ||
    byEntry(one, other)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

interface Block {
  readonly paper: readonly SideTrade[];
  readonly backtest: readonly SideTrade[];
}

/** Stretches of trades none of which may be a pair with one of another stretch. */
function blocksOf(paper: readonly SideTrade[], backtest: readonly SideTrade[], tolerance: number): Block[] {
  const blocks: Block[] = [];
  let [i, j] = [0, 0];
  while (i < paper.length || j < backtest.length) {
    const [fromI, fromJ] = [i, j];
    let reach = Number.NEGATIVE_INFINITY;
    for (;;) {
      const isPaper = j >= backtest.length || (i < paper.length && paper[i].entryMs <= backtest[j].entryMs);
      const next = isPaper ? paper[i] : backtest[j];
      if (next === undefined || (i + j > fromI + fromJ && next.entryBar > reach)) break;
      reach = Math.max(reach, next.entryBar + tolerance);
      if (isPaper) i++;
      else j++;
    }
    blocks.push({ paper: paper.slice(fromI, i), backtest: backtest.slice(fromJ, j) });
  }
  return blocks;
}

function mayPair(a: SideTrade, b: SideTrade, tolerance: number): boolean {
  return Math.abs(a.entryBar - b.entryBar) <= tolerance;
}

/** What a pairing costs: first in half bars of entries, then in bars of exits, then in how far quantities differ. */
interface Costs {
  readonly entries: Float64Array;
  readonly exits: Float64Array;
  readonly sizes: Float64Array;
}

function costs(length: number): Costs {
  return {
    entries: new Float64Array(length),
    exits: new Float64Array(length),
    sizes: new Float64Array(length),
  };
}

const [PAIR, SKIP_PAPER, SKIP_BACKTEST] = [0, 1, 2];
/** Sums of the same differences of quantities may differ by what doubles lack. */
const SIZE_DOUBT = 1e-9;
/** Units below which a quantity has no places. */
const LEAST = 1e-9;

function alignBlock(
  paper: readonly SideTrade[],
  backtest: readonly SideTrade[],
  tolerance: number,
): TradePair[] {
  const width = backtest.length + 1;
  const alone = tolerance + 1;
  const choices = new Uint8Array((paper.length + 1) * width);
  let above = costs(width);
  let row = costs(width);
  for (let j = 1; j < width; j++) {
    row.entries[j] = j * alone;
    choices[j] = SKIP_BACKTEST;
  }
  for (let i = 1; i <= paper.length; i++) {
    [above, row] = [row, above];
    put(row, 0, above, 0, alone);
    choices[i * width] = SKIP_PAPER;
    for (let j = 1; j < width; j++) {
      const [a, b] = [paper[i - 1], backtest[j - 1]];
      put(row, j, above, j, alone);
      let choice = SKIP_PAPER;
      if (isLess(row, j - 1, alone, 0, 0, row, j)) {
        put(row, j, row, j - 1, alone);
        choice = SKIP_BACKTEST;
      }
      if (mayPair(a, b, tolerance)) {
        const entries = 2 * Math.abs(a.entryBar - b.entryBar);
        const exits = Math.abs(a.exitBar - b.exitBar);
        const sizes = Math.abs(Math.log(Math.max(LEAST, a.quantity) / Math.max(LEAST, b.quantity)));
        if (!isLess(row, j, 0, 0, 0, above, j - 1, entries, exits, sizes)) {
          put(row, j, above, j - 1, entries, exits, sizes);
          choice = PAIR;
        }
      }
      choices[i * width + j] = choice;
    }
  }
  return pairsOf(paper, backtest, choices);
}

function put(to: Costs, at: number, from: Costs, k: number, entries: number, exits = 0, sizes = 0): void {
  to.entries[at] = from.entries[k] + entries;
  to.exits[at] = from.exits[k] + exits;
  to.sizes[at] = from.sizes[k] + sizes;
}

/** Whether one place with more is cheaper than another with more. */
function isLess(
  one: Costs,
  i: number,
  entries: number,
  exits: number,
  sizes: number,
  other: Costs,
  j: number,
  otherEntries = 0,
  otherExits = 0,
  otherSizes = 0,
): boolean {
  const byEntries = one.entries[i] + entries - other.entries[j] - otherEntries;
  if (byEntries !== 0) return byEntries < 0;
  const byExits = one.exits[i] + exits - other.exits[j] - otherExits;
  if (byExits !== 0) return byExits < 0;
  return one.sizes[i] + sizes - other.sizes[j] - otherSizes < -SIZE_DOUBT;
}

function pairsOf(
  paper: readonly SideTrade[],
  backtest: readonly SideTrade[],
  choices: Uint8Array,
): TradePair[] {
  const pairs: TradePair[] = [];
  let [i, j] = [paper.length, backtest.length];
  while (i > 0 || j > 0) {
    const choice = choices[i * (backtest.length + 1) + j];
    if (choice === PAIR) pairs.push({ paper: paper[--i], backtest: backtest[--j] });
    else if (choice === SKIP_PAPER) pairs.push({ paper: paper[--i], backtest: null });
    else pairs.push({ paper: null, backtest: backtest[--j] });
  }
  return pairs;
}
