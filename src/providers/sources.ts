import { ensure } from "../core/base/assert.js";
import type { Instrument } from "../core/market/instrument.js";
import { AppError, messageOf } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { type Provider, ProviderError } from "./define.js";
import { createGuard, type Guard, type ProviderHealth } from "./guard.js";

/** The configured sources, each behind its guard. */
export interface Sources {
  /** Those that carry an instrument, in the order of preference. */
  carriers(instrument: Instrument): readonly Provider[];
  /** A question to one source, through its guard. @throws {ProviderError} */
  ask<T>(provider: Provider, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /**
   * The first answer in the order of preference; why each of the others gave none goes to the log.
   * @throws {AppError} `symbol_unknown` or `provider_unavailable` when none gives one.
   */
  first<T>(instrument: Instrument, question: (provider: Provider) => Promise<T>): Promise<T>;
  /** The answers of all that give one. @throws {AppError} as `first`. */
  all<T>(instrument: Instrument, question: (provider: Provider) => Promise<T>): Promise<T[]>;
  health(): readonly ProviderHealth[];
  /** Asks each source for something small. */
  probe(): Promise<readonly ProviderHealth[]>;
}

export interface SourcesOptions {
  readonly providers: readonly Provider[];
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function createSources({ providers, now, log, metrics }: SourcesOptions): Sources {
  const guards = new Map(
    providers.map((provider) => [provider.name, createGuard(provider, { now, log, metrics })]),
  );
  const guardOf = ({ name }: Provider): Guard => ensure(guards.get(name), `guard of ${name}`);
  const carriers = (instrument: Instrument) =>
    providers.filter((provider) => provider.intervals(instrument).length > 0);
  const health = () => [...guards.values()].map((guard) => guard.health());

  /** What a source answers, or why it gives none. */
  async function answerOf<T>(
    provider: Provider,
    { symbol }: Instrument,
    question: (provider: Provider) => Promise<T>,
  ): Promise<{ value: T } | ProviderError> {
    try {
      return { value: await question(provider) };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { failure, message } = error;
      log.debug({ provider: provider.name, symbol, failure, reason: message }, "no answer");
      return error;
    }
  }

  return {
    carriers,
    health,
    ask: (provider, work) => guardOf(provider).run(work),

    async first(instrument, question) {
      const failures: ProviderError[] = [];
      for (const provider of carriers(instrument)) {
        const answer = await answerOf(provider, instrument, question);
        if (!(answer instanceof ProviderError)) return answer.value;
        failures.push(answer);
      }
      throw noAnswer(instrument, carriers(instrument), failures);
    },

    async all(instrument, question) {
      const able = carriers(instrument);
      const answers = await Promise.all(able.map((provider) => answerOf(provider, instrument, question)));
      const values = answers.flatMap((answer) => (answer instanceof ProviderError ? [] : [answer.value]));
      if (values.length > 0) return values;
      const failures = answers.filter((answer) => answer instanceof ProviderError);
      throw noAnswer(instrument, able, failures);
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

/** @param failures one for each that was asked. */
function noAnswer(
  { symbol }: Instrument,
  asked: readonly Provider[],
  failures: readonly ProviderError[],
): AppError {
  if (failures.every(({ failure }) => failure === "unknown_symbol")) {
    return new AppError("symbol_unknown", `No configured source knows ${symbol}`);
  }
  const reasons = failures.map(({ message }, i) => `${asked[i].name}: ${message}`).join("; ");
  return new AppError("provider_unavailable", `No source gave data for ${symbol} (${reasons})`, {
    retryAfterS: 30,
    cause: failures[0],
  });
}
