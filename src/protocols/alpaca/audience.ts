import type { Market } from "./symbols.js";

export const CHANNELS = ["trades", "quotes", "bars", "updatedBars", "dailyBars"] as const;
export type Channel = (typeof CHANNELS)[number];

/** What is told of a symbol. */
export interface Told {
  readonly market: Market;
  /** As the dialect spells it. */
  readonly symbol: string;
  readonly channel: Channel;
  /** Without the time of the event, which every format writes in its own way. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly time: number;
}

/** Somebody who wants to be told. */
export interface Listener {
  readonly market: Market;
  /** Symbols by channel; `*` is everything that is told. */
  readonly wants: Readonly<Record<Channel, ReadonlySet<string>>>;
  tell(told: Told): void;
}

/** Those who listen, and what they have been told. */
export interface Audience {
  /** Begins to tell somebody, or goes on after its wants have changed. */
  update(listener: Listener): void;
  remove(listener: Listener): void;
  size(): number;
  /** Channels by market and symbol (`crypto BTC/USD`), of all who listen. */
  wanted(): ReadonlyMap<string, ReadonlySet<Channel>>;
  /** Tells what has just happened. */
  tell(told: Told): void;
  /**
   * Tells what is newer than what was told last, and how that has changed where there is a channel for it. What was so
   * before anybody wanted it is no news. @param endMs when it had become so.
   */
  tellNew(told: Told, endMs: number, changed: Channel | null): void;
}

export function createAudience(now: () => number): Audience {
  const listeners = new Set<Listener>();
  /** What was told last, by channel and symbol: time and everything else as text. */
  const last = new Map<string, { readonly time: number; readonly text: string }>();
  /** Since when a channel of a symbol has been wanted, epoch ms. */
  const since = new Map<string, number>();

  function deliver(told: Told): void {
    for (const listener of listeners) {
      const wanted = listener.wants[told.channel];
      if (listener.market === told.market && (wanted.has(told.symbol) || wanted.has("*")))
        listener.tell(told);
    }
  }

  function tellNew(told: Told, endMs: number, changed: Channel | null): void {
    const key = keyOf(told);
    const text = JSON.stringify(told.fields);
    const known = last.get(key);
    if (known !== undefined && (known.time > told.time || (known.time === told.time && known.text === text)))
      return;
    last.set(key, { time: told.time, text });
    if (known === undefined && endMs <= (since.get(key) ?? 0)) return;
    if (known?.time !== told.time) deliver(told);
    else if (changed !== null) deliver({ ...told, channel: changed });
  }

  /** Notes since when what is wanted now has been, and forgets what nobody wants any more. */
  function keep(): void {
    const keys = new Set<string>();
    for (const [name, channels] of wantedOf(listeners)) {
      const [market, symbol] = name.split(" ") as [Market, string];
      for (const channel of channels) keys.add(keyOf({ market, symbol, channel }));
    }
    for (const key of keys) if (!since.has(key)) since.set(key, now());
    for (const known of [since, last]) for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
  }

  return {
    tellNew,
    tell(told) {
      last.set(keyOf(told), { time: told.time, text: JSON.stringify(told.fields) });
      deliver(told);
    },
    update(listener) {
      listeners.add(listener);
      keep();
    },
    remove(listener) {
      listeners.delete(listener);
      keep();
    },
    size: () => listeners.size,
    wanted: () => wantedOf(listeners),
  };
}

/** A changed bar is the bar that was told before. */
function keyOf({ market, symbol, channel }: Pick<Told, "market" | "symbol" | "channel">): string {
  return `${market} ${symbol} ${channel === "updatedBars" ? "bars" : channel}`;
}

/** Channels by market and symbol, of all who listen. */
function wantedOf(listeners: Iterable<Listener>): Map<string, Set<Channel>> {
  const wanted = new Map<string, Set<Channel>>();
  for (const { market, wants } of listeners) {
    for (const channel of CHANNELS) {
      for (const symbol of wants[channel]) {
        if (symbol === "*") continue;
        const key = `${market} ${symbol}`;
        wanted.set(key, (wanted.get(key) ?? new Set()).add(channel));
      }
    }
  }
  return wanted;
}
