import { type Agent, request } from "node:http";
import { createRng, type Rng } from "../../src/core/base/rng.js";

export interface SentTick {
  readonly symbol: string;
  readonly time: number;
  readonly price: number;
  readonly size: number;
  readonly id: number;
}

export const START = Date.UTC(2024, 2, 4);

/** A walk of one symbol, in whole cents: sums of whole numbers are the same in whatever order they are made. */
export function walkOf(symbol: string, seed: number, count: number, everyMs: number): SentTick[] {
  const rng = createRng(seed, 3);
  let cents = 10_000 + rng.below(5_000);
  return Array.from({ length: count }, (_, i) => {
    cents += rng.below(5) - 2;
    return { symbol, time: START + i * everyMs, price: cents / 100, size: 1 + rng.below(50), id: i + 1 };
  });
}

/** A bar as text: open, high, low, close, volume and count. */
export type Bars = ReadonlyMap<string, string>;

/** Bars by stretches of the clock, made in the plainest way. */
export function plainBars(ticks: readonly SentTick[], lengthMs: number): Bars {
  const groups = new Map<string, SentTick[]>();
  for (const tick of ticks) {
    const place = `${tick.symbol} ${tick.time - (tick.time % lengthMs)}`;
    groups.set(place, [...(groups.get(place) ?? []), tick]);
  }
  return new Map(
    [...groups].map(([place, group]) => {
      const prices = group.map(({ price }) => price);
      const volume = group.reduce((sum, { size }) => sum + size, 0);
      const values = [
        prices[0],
        Math.max(...prices),
        Math.min(...prices),
        prices.at(-1),
        volume,
        group.length,
      ];
      return [place, values.join(" ")];
    }),
  );
}

/** How a row is made bad, and what is said of it then; null where it depends on what came before. */
export const FAULTS: readonly (readonly [
  name: string,
  reason: string,
  spoil: (tick: SentTick, rng: Rng) => unknown,
])[] = [
  ["price 0", "price_not_positive", (tick) => ({ ...tick, price: 0 })],
  ["price below 0", "price_not_positive", (tick) => ({ ...tick, price: -tick.price })],
  ["size below 0", "size_negative", (tick) => ({ ...tick, size: -1 })],
  ["size beyond reason", "size_too_large", (tick) => ({ ...tick, size: 1e300 })],
  ["no price", "not_finite: price is not a finite number", ({ price: _, ...tick }) => tick],
  ["price in words", "not_finite: price is not a finite number", (tick) => ({ ...tick, price: "high" })],
  ["no symbol", "symbol is not text", ({ symbol: _, ...tick }) => tick],
  ["no time", "time is neither epoch ms nor RFC 3339", (tick) => ({ ...tick, time: "noon" })],
  ["no row", "row is not an object", () => null],
  ["long gone", "late", (tick) => ({ ...tick, time: START - 86_400_000 * 3, id: null })],
  ["not yet", "from_the_future", (tick) => ({ ...tick, time: Date.UTC(2100, 0, 1), id: null })],
  ["sent before", "duplicate", (tick) => tick],
];

export interface Posted {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | null;
}

/** Posts a batch; status 0 where nobody answers. */
export function post(url: string, rows: readonly unknown[], key: string, agent: Agent): Promise<Posted> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const asked = request(
      `${url}/api/ticks`,
      { method: "POST", agent, headers, timeout: 60_000 },
      (answer) => {
        let text = "";
        answer.on("data", (chunk) => {
          text += String(chunk);
        });
        answer.once("end", () => {
          const body = text.startsWith("{") ? (JSON.parse(text) as Posted["body"]) : null;
          resolve({ status: answer.statusCode ?? 0, body });
        });
        answer.once("error", () => resolve({ status: 0, body: null }));
      },
    );
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve({ status: 0, body: null }));
    asked.end(JSON.stringify(rows));
  });
}
