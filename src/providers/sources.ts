import { LRUCache } from "lru-cache";
import { ensure } from "../core/base/assert.js";
import type { Instrument } from "../core/market/instrument.js";
import { AppError, messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { type Provider, ProviderError } from "./define.js";
import { createGuard, type Guard, type ProviderHealth } from "./guard.js";

/** The configured sources, each behind its guard. */
export interface Sources {
  /**
   * Those that carry an instrument, in the order of preference: one that replays it alone, and not those that have
   * answered of late that they do not know it, where another one lists it.
   */
  carriers(instrument: Instrument): readonly Provider[];
  /** A question to one source, through its guard. @throws {ProviderError} */
  ask<T>(provider: Provider, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** What a source answers, or why it gives none, which goes to the log. */
  answerOf<T>(
    provider: Provider,
    instrument: Instrument,
    question: (provider: Provider) => Promise<T>,
  ): Promise<Answer<T>>;
  /**
   * The answers of all that give one.
   * @throws {AppError} `symbol_unknown` or `provider_unavailable` when none gives one.
   */
  all<T>(instrument: Instrument, question: (provider: Provider) => Promise<T>): Promise<T[]>;
  health(): readonly ProviderHealth[];
  /** Asks each source for something small. */
  probe(): Promise<readonly ProviderHealth[]>;
}

export type Answer<T> = { readonly value: T } | ProviderError;

/** A source and why it gave nothing. */
export interface Refusal {
  readonly provider: Provider;
  readonly error: ProviderError;
}

export interface SourcesOptions {
  readonly providers: readonly Provider[];
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How long a source's word that it does not know a symbol is taken for granted. */
const UNKNOWN_MS = 600_000;

export function createSources({ providers, now, log, metrics }: SourcesOptions): Sources {
  const guards = new Map(
    providers.map((provider) => [provider.name, createGuard(provider, { now, log, metrics })]),
  );
  const guardOf = ({ name }: Provider): Guard => ensure(guards.get(name), `guard of ${name}`);
  const health = () => [...guards.values()].map((guard) => guard.health());
  /** When sources said that they do not know a symbol. */
  const unknownSince = new LRUCache<string, number>({ max: 10_000 });
  const keyOf = ({ name }: Provider, { symbol }: Instrument) => `${name} ${symbol}`;

  function carriers(instrument: Instrument): readonly Provider[] {
    const able = providers.filter((provider) => provider.intervals(instrument).length > 0);
    const replaying = able.find(({ replay }) => replay !== null);
    if (replaying !== undefined) return [replaying];
    if (!able.some(({ listsAll }) => listsAll)) return able;
    return able.filter((provider) => {
      const since = unknownSince.get(keyOf(provider, instrument));
      return provider.listsAll || since === undefined || now() - since >= UNKNOWN_MS;
    });
  }

  async function answerOf<T>(
    provider: Provider,
    instrument: Instrument,
    question: (provider: Provider) => Promise<T>,
  ): Promise<Answer<T>> {
    try {
      return { value: await question(provider) };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { failure, message } = error;
      const { symbol } = instrument;
      log.debug({ provider: provider.name, symbol, failure, reason: message }, "no answer");
      if (failure === "unknown_symbol") unknownSince.set(keyOf(provider, instrument), now());
      return error;
    }
  }

  return {
    carriers,
    health,
    ask: (provider, work) => guardOf(provider).run(work),
    answerOf,

    async all<T>(instrument: Instrument, question: (provider: Provider) => Promise<T>) {
      const values: T[] = [];
      const refusals: Refusal[] = [];
      await Promise.all(
        carriers(instrument).map(async (provider) => {
          const answer = await answerOf(provider, instrument, question);
          if (answer instanceof ProviderError) refusals.push({ provider, error: answer });
          else values.push(answer.value);
        }),
      );
      if (values.length === 0) throw noAnswer(instrument, refusals);
      return values;
    },

    async probe() {
      await Promise.all(
        providers.map(async (provider) => {
          try {
            await guardOf(provider).run((signal) => provider.probe(signal));
          } catch (error) {
            log.debug({ provider: provider.name, reason: messageOf(error) }, "probe failed");
          }
        }),
      );
      return health();
    },
  };
}

/** What a caller is told when no source gave anything. */
export function noAnswer({ symbol }: Instrument, refusals: readonly Refusal[]): AppError {
  if (refusals.every(({ error }) => error.failure === "unknown_symbol")) {
    return new AppError("symbol_unknown", `No configured source knows ${symbol}`);
  }
  return new AppError("provider_unavailable", `No source gave data for ${symbol} (${reasonsOf(refusals)})`, {
    retryAfterS: 30,
    cause: refusals[0]?.error,
  });
}

export function reasonsOf(refusals: readonly Refusal[]): string {
  return refusals.map(({ provider, error }) => `${provider.name}: ${error.message}`).join("; ");
}
