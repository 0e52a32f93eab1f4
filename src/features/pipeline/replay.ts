import type { BarColumns } from "../../core/ticks/bar-columns.js";
import { pickTicks, type Ticks } from "../../core/ticks/tick.js";
import type { Log } from "../../platform/log.js";
import type { Checkpoints } from "./checkpoints.js";
import { decodeGroup, fingerprintOf, type NamedTicks } from "./group-codec.js";
import type { Feed } from "./intake.js";
import type { BegunState } from "./messages.js";
import type { Answer } from "./session.js";
import type { KeptState } from "./state-store.js";
import type { SymbolNumbers } from "./symbol-numbers.js";
import type { TickLog } from "./tick-log.js";

const PAGE = 20;
/** Symbols that are opened together: a few megabytes. */
const AT_ONCE = 32;

/**
 * Brings an engine to where the last one was: states that were kept, then the groups after them, in their order.
 * @returns place of the newest group.
 */
export async function replayGroups(parts: {
  readonly tickLog: TickLog;
  readonly kept: readonly KeptState[];
  readonly checkpoints: Pick<Checkpoints, "read">;
  /** Bars of a symbol from which it can go on where its state is lost. */
  readonly storedOf: (symbol: string) => Promise<BarColumns>;
  readonly numbers: SymbolNumbers;
  readonly open: (symbols: readonly string[], states: readonly (BegunState | null)[]) => Promise<void>;
  readonly ensureOpen: (symbols: readonly string[]) => Promise<void>;
  readonly feed: Feed;
  readonly remember: (key: string, fingerprint: string, answer: Promise<Answer>) => void;
  readonly log: Log;
}): Promise<number> {
  const { tickLog, kept, checkpoints, numbers, ensureOpen, feed, remember, log } = parts;
  const readable = kept.map((each) => checkpoints.read(each));
  const lost = readable.filter((state) => state === null).length;
  const isCut = lost > 0 && (await hasForgotten(tickLog));
  if (lost > 0) {
    log.warn(
      { symbols: lost, isCut },
      "the pipeline begins anew with symbols whose state another program kept; where it is cut, from the bars that are stored, and bars that lack their beginning are left out",
    );
  }
  await openKept(parts, readable, isCut);
  /** By number of the symbol, the group that it stands after. */
  const begins = readable.map((state) => state?.sequence ?? 0);
  /** By number, whether it goes on from bars alone: what was said of its ticks is not said of them again. */
  const isAnew = readable.map((state) => state === null && isCut);
  let newest = Math.max(0, ...kept.map(({ sequence }) => sequence));
  let groups = 0;
  for (let at = 0; ; ) {
    const page = await tickLog.readAfter(at, PAGE);
    for (const group of page) {
      const named = decodeGroup(group.frame);
      await ensureOpen(named.symbols);
      const ticks = numbers.numbered(named);
      const rows = rowsAfter(ticks, begins, group.sequence);
      const isDone = rows.length === 0 && ticks.time.length > 0;
      const ended = ticks.time.length > 0 ? [] : named.symbols.map((symbol) => numbers.numberOf(symbol) ?? 0);
      const verdicts = isDone ? new Uint8Array(0) : await feed(group, pickTicks(ticks, rows), ended);
      const isWhole = rows.length === ticks.time.length && !ticks.symbol.some((number) => isAnew[number]);
      for (const { key, from, to, fingerprint } of group.parts) {
        const isKnown = isWhole && fingerprint === undefined;
        const answer = { verdicts: isKnown ? verdicts.slice(from, to) : null, repeated: false };
        remember(key, fingerprint ?? fingerprintOf(rowsOf(named, from, to)), Promise.resolve(answer));
      }
      at = group.sequence;
      groups++;
    }
    newest = Math.max(newest, at);
    if (page.length < PAGE) break;
  }
  if (groups > 0 || kept.length > 0) {
    log.info({ symbols: kept.length, groups, newest }, "the pipeline goes on from where it was");
  }
  return newest;
}

/** Opens the symbols that were kept, some at a time. */
async function openKept(
  { kept, open, storedOf }: Pick<Parameters<typeof replayGroups>[0], "kept" | "open" | "storedOf">,
  readable: readonly (BegunState | null)[],
  isCut: boolean,
): Promise<void> {
  for (let from = 0; from < kept.length; from += AT_ONCE) {
    const symbols = kept.slice(from, from + AT_ONCE).map(({ symbol }) => symbol);
    const states: (BegunState | null)[] = [];
    for (const [k, symbol] of symbols.entries()) {
      const state = readable[from + k];
      const isAnew = state === null && isCut;
      states.push(isAnew ? { sequence: 0, state: null, stored: await storedOf(symbol) } : state);
    }
    await open(symbols, states);
  }
}

/** Whether groups that came before those that are kept have been forgotten. */
async function hasForgotten(tickLog: TickLog): Promise<boolean> {
  const [first] = await tickLog.readAfter(0, 1);
  return first === undefined || first.sequence > 1;
}

/** Rows of symbols whose state does not have them yet. */
function rowsAfter({ symbol }: Ticks, begins: readonly number[], sequence: number): Int32Array {
  const rows: number[] = [];
  for (let i = 0; i < symbol.length; i++) if (!((begins[symbol[i]] ?? 0) >= sequence)) rows.push(i);
  return Int32Array.from(rows);
}

function rowsOf({ symbols, ticks }: NamedTicks, from: number, to: number): NamedTicks {
  return {
    symbols,
    ticks: pickTicks(
      ticks,
      Int32Array.from({ length: to - from }, (_, k) => from + k),
    ),
  };
}
