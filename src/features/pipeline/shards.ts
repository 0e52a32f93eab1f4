import type { FoundSynergy } from "../../core/synergy/findings.js";
import type { BoardColumns } from "../../core/synergy/track.js";
import type { BarColumns } from "../../core/ticks/bar-columns.js";
import { pickTicks, type Ticks } from "../../core/ticks/tick.js";
import { type EngineHost, type EngineSetup, startEngine } from "./engine-host.js";
import type { BegunState, FedReply, OpenSymbol, SavedReply } from "./messages.js";

/** What came of a group, over all threads. */
export interface Fed {
  readonly verdicts: Uint8Array;
  /** Of ticks that were held in an earlier group, how many were confirmed, and how many refuted. */
  readonly confirmed: number;
  readonly refuted: number;
  /** `symbol` are numbers of the shards. */
  readonly bars: readonly BarColumns[];
  readonly synergies: readonly FoundSynergy[];
  readonly tookMs: number;
}

/** Engines side by side, each with its part of the symbols: those whose number leaves the same remainder. */
export interface Shards {
  /** Opens symbols with the numbers after those that are open. */
  open(symbols: readonly OpenSymbol[], states: readonly (BegunState | null)[]): Promise<void>;
  feed(sequence: number, receivedAt: number, ticks: Ticks): Promise<Fed>;
  pass(sequence: number, nowMs: number): Promise<Fed>;
  /** The recordings of symbols have ended. */
  end(sequence: number, symbols: readonly number[]): Promise<Fed>;
  save(): Promise<readonly SavedReply[]>;
  /** What is known of a symbol now; null where it could not be read. */
  look(symbol: number): BoardColumns | null;
  stop(): Promise<void>;
}

/** @param start each of the engines. */
export function startShards(
  { threads, capacity, ...setup }: EngineSetup & { readonly threads: number },
  onDeath: (error: Error) => void,
  start: typeof startEngine = startEngine,
): Shards {
  const each = Math.ceil(capacity / threads);
  const hosts: readonly EngineHost[] = Array.from({ length: threads }, () =>
    start({ ...setup, capacity: each }, onDeath),
  );
  let opened = 0;

  return {
    async open(symbols, states) {
      const parts = hosts.map(() => ({ symbols: [] as OpenSymbol[], states: [] as (BegunState | null)[] }));
      for (const [k, symbol] of symbols.entries()) {
        const part = parts[opened++ % threads];
        part.symbols.push(symbol);
        part.states.push(states[k]);
      }
      await Promise.all(hosts.map((host, k) => host.open(parts[k].symbols, parts[k].states)));
    },
    async feed(sequence, receivedAt, ticks) {
      if (threads === 1) return hosts[0].feed(sequence, receivedAt, ticks);
      const rows = rowsByShard(ticks, threads);
      const replies = await Promise.all(
        hosts.map((host, k) => host.feed(sequence, receivedAt, partOf(ticks, rows[k], threads))),
      );
      const verdicts = new Uint8Array(ticks.time.length);
      for (const [k, reply] of replies.entries()) {
        for (let i = 0; i < rows[k].length; i++) verdicts[rows[k][i]] = reply.verdicts[i];
      }
      return { ...joined(replies, threads), verdicts };
    },
    async pass(sequence, nowMs) {
      const replies = await Promise.all(hosts.map((host) => host.pass(sequence, nowMs)));
      return threads === 1 ? replies[0] : joined(replies, threads);
    },
    async end(sequence, symbols) {
      const partOf = (shard: number) =>
        symbols.filter((symbol) => symbol % threads === shard).map((symbol) => Math.floor(symbol / threads));
      const replies = await Promise.all(hosts.map((host, k) => host.end(sequence, partOf(k))));
      return threads === 1 ? replies[0] : joined(replies, threads);
    },
    save: () => Promise.all(hosts.map((host) => host.save())),
    look: (symbol) => hosts[symbol % threads].board.read(Math.floor(symbol / threads)),
    async stop() {
      await Promise.all(hosts.map((host) => host.stop()));
    },
  };
}

function rowsByShard(ticks: Ticks, threads: number): readonly Int32Array[] {
  const counts = new Int32Array(threads);
  for (let i = 0; i < ticks.symbol.length; i++) counts[ticks.symbol[i] % threads]++;
  const rows = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (let i = 0; i < ticks.symbol.length; i++) {
    const shard = ticks.symbol[i] % threads;
    rows[shard][counts[shard]++] = i;
  }
  return rows;
}

/** Ticks at some places by the numbers of their shard. */
function partOf(ticks: Ticks, rows: Int32Array, threads: number): Ticks {
  const part = pickTicks(ticks, rows);
  return { ...part, symbol: part.symbol.map((number) => Math.floor(number / threads)) };
}

/** Replies with the numbers of the shards. */
function joined(replies: readonly FedReply[], threads: number): Fed {
  const numberOf = (symbol: number, shard: number) => symbol * threads + shard;
  return {
    verdicts: new Uint8Array(0),
    confirmed: replies.reduce((sum, { confirmed }) => sum + confirmed, 0),
    refuted: replies.reduce((sum, { refuted }) => sum + refuted, 0),
    bars: replies.flatMap(({ bars }, shard) =>
      bars.map((columns) => ({
        ...columns,
        symbol: columns.symbol.map((symbol) => numberOf(symbol, shard)),
      })),
    ),
    synergies: replies.flatMap(({ synergies }, shard) =>
      synergies.map((found) => ({ ...found, symbol: numberOf(found.symbol, shard) })),
    ),
    tookMs: Math.max(...replies.map(({ tookMs }) => tookMs)),
  };
}
