import { LRUCache } from "lru-cache";
import { ensure } from "../core/base/assert.js";
import type { Instrument } from "../core/market/instrument.js";
import { timeLeftMs } from "../platform/deadline.js";
import { AppError, messageOf } from "../platform/errors.js";
import type { Provider } from "./define.js";
import { ProviderError } from "./define.js";
import { createGuard, type Guard, type GuardTools, type ProviderHealth } from "./guard.js";
import { classOf, inOrder, type MarketClass, type Order } from "./order.js";

/** The configured sources, each behind its guard. */
export interface Sources {
  /** Those that are asked about a class of instruments, in the order of preference. */
  ofClass(market: MarketClass | null): readonly Provider[];
  /**
   * Those that carry an instrument, in the order of preference: one that replays it alone, and not those that have
   * answered a question of the kind of late that they do not know it, where another one lists it.
   */
  carriers(instrument: Instrument, kind: QuestionKind): readonly Provider[];
  /** Which carriers are therefore not asked, and what they said; null when all are. */
  unasked(instrument: Instrument, kind: QuestionKind): string | null;
  /** Begins a question, whose time those that are asked one after the other share. */
  question(): Question;
  /**
   * A question to one source, through its guard.
   * @param until when it must have answered, as `performance.now` counts.
   * @throws {ProviderError}
   */
  ask<T>(provider: Provider, until: number, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** A look at what a source has, for which nobody is called: only its failure counts. @throws {ProviderError} */
  look<T>(provider: Provider, work: () => Promise<T>): Promise<T>;
  /** What a source answers, or why it gives none, which goes to the log. */
  answerOf<T>(
    provider: Provider,
    topic: Topic,
    question: (provider: Provider) => Promise<T>,
  ): Promise<Answer<T>>;
  /**
   * The answers of all that give one to a question about candles.
   * @throws {AppError} `symbol_unknown` or `provider_unavailable` when none gives one.
   */
  all<T>(instrument: Instrument, question: (provider: Provider) => Promise<T>): Promise<T[]>;
  health(): readonly ProviderHealth[];
  /** The same after a look at what all instances used of the budgets. */
  loadHealth(): Promise<readonly ProviderHealth[]>;
  /** Asks each source for something small; those with a budget only where nothing else tells how they are. */
  probe(): Promise<readonly ProviderHealth[]>;
}

/** What a source is asked for. One that does not know a symbol for one kind may for another. */
export type QuestionKind = "candles" | "quote" | "options" | "actions" | "search" | "status" | "news";

/** What a question is about. */
export interface Topic {
  /** Null for markets at large. */
  readonly instrument: Instrument | null;
  readonly kind: QuestionKind;
}

export interface Question {
  /** When the first of those that are left must have answered, as `performance.now` counts. */
  shareOf(left: readonly Provider[]): number;
  /** When all must have answered. */
  readonly endsAt: number;
}

export type Answer<T> = { readonly value: T } | ProviderError;

/** A source and why it gave nothing. */
export interface Refusal {
  readonly provider: Provider;
  readonly error: ProviderError;
}

export interface SourcesOptions extends GuardTools {
  /** In the general order of preference. */
  readonly providers: readonly Provider[];
  readonly order: Order;
}

/** How long a source's word that it does not know a symbol is taken for granted. */
const UNKNOWN_MS = 600_000;
/** A caller who does not say how long it waits is answered within 5 s, whatever the sources do. */
const QUESTION_MS = 4_200;
/** Time that a caller has left for what stands in when no source answers. */
const FALLBACK_MS = 500;
/** No source is given less than this part of the time that is left, however many could be asked after it. */
const SHARERS = 3;
const LEAST_SHARE_MS = 20;
/** How long a source with a budget goes unasked before a probe asks again whether it is well. */
const PROBE_REST_MS = 600_000;

export function createSources({ providers, order, ...tools }: SourcesOptions): Sources {
  const { now, log } = tools;
  const guards = new Map(providers.map((provider) => [provider.name, createGuard(provider, tools)]));
  const guardOf = ({ name }: Provider): Guard => ensure(guards.get(name), `guard of ${name}`);
  const ofClass = (market: MarketClass | null) => inOrder(providers, order, market);
  const unknown = createUnknown(now);
  const { carriers, unasked } = createCarriers(ofClass, unknown);

  async function answerOf<T>(
    provider: Provider,
    topic: Topic,
    question: (provider: Provider) => Promise<T>,
  ): Promise<Answer<T>> {
    try {
      return { value: await question(provider) };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { failure, message } = error;
      const { symbol = null } = topic.instrument ?? {};
      log.debug({ provider: provider.name, symbol, failure, reason: message }, "no answer");
      if (failure === "unknown_symbol") unknown.remember(provider, topic, message);
      return error;
    }
  }

  const reader = createHealthReader(providers, guardOf, tools);
  return {
    ofClass,
    carriers,
    unasked,
    question() {
      const endsAt = performance.now() + questionMs();
      return {
        endsAt,
        shareOf(left) {
          const started = performance.now();
          const others = left.slice(1).filter((provider) => guardOf(provider).isReady());
          return started + (endsAt - started) / Math.min(SHARERS, 1 + others.length);
        },
      };
    },
    async ask(provider, until, work) {
      const limitMs = until - performance.now();
      if (limitMs < LEAST_SHARE_MS) throw new ProviderError("set_aside", "not asked: no time was left");
      return guardOf(provider).run(work, limitMs);
    },
    look: (provider, work) => guardOf(provider).look(work),
    answerOf,

    async all<T>(instrument: Instrument, question: (provider: Provider) => Promise<T>) {
      const values: T[] = [];
      const refusals: Refusal[] = [];
      const topic = { instrument, kind: "candles" } as const;
      await Promise.all(
        carriers(instrument, topic.kind).map(async (provider) => {
          const answer = await answerOf(provider, topic, question);
          if (answer instanceof ProviderError) refusals.push({ provider, error: answer });
          else values.push(answer.value);
        }),
      );
      if (values.length === 0) throw noAnswer(instrument, refusals);
      return values;
    },

    health: reader.health,
    loadHealth: reader.loadHealth,
    probe: reader.probe,
  };
}

type Unknown = ReturnType<typeof createUnknown>;

/** Who is asked about an instrument, and who is not for now. */
function createCarriers(
  ofClass: Sources["ofClass"],
  unknown: Unknown,
): Pick<Sources, "carriers" | "unasked"> {
  function able(instrument: Instrument): readonly Provider[] {
    const carrying = ofClass(classOf(instrument)).filter(
      (provider) => provider.intervals(instrument).length > 0,
    );
    const replaying = carrying.find(({ replay }) => replay !== null);
    return replaying === undefined ? carrying : [replaying];
  }

  /** What a source that is therefore not asked said; null for one that is asked. */
  function wordOf(provider: Provider, among: readonly Provider[], topic: Topic): string | null {
    if (provider.listsAll || !among.some(({ listsAll }) => listsAll)) return null;
    return unknown.wordOf(provider, topic);
  }

  return {
    carriers(instrument, kind) {
      const among = able(instrument);
      return among.filter((provider) => wordOf(provider, among, { instrument, kind }) === null);
    },
    unasked(instrument, kind) {
      const among = able(instrument);
      const words = among.flatMap((provider) => {
        const word = wordOf(provider, among, { instrument, kind });
        return word === null ? [] : [`${provider.name}: ${word}`];
      });
      return words.length === 0 ? null : `Not all sources know ${instrument.symbol} (${words.join("; ")})`;
    },
  };
}

/** What sources do not know, each kind of question by itself. */
function createUnknown(now: () => number) {
  const said = new LRUCache<string, { readonly atMs: number; readonly word: string }>({ max: 10_000 });
  const keyOf = ({ name }: Provider, { instrument, kind }: Topic) => `${name} ${kind} ${instrument?.symbol}`;
  return {
    remember(provider: Provider, topic: Topic, word: string): void {
      if (topic.instrument !== null) said.set(keyOf(provider, topic), { atMs: now(), word });
    },
    /** What it said of late; null for nothing. */
    wordOf(provider: Provider, topic: Topic): string | null {
      const known = said.get(keyOf(provider, topic));
      return known === undefined || now() - known.atMs >= UNKNOWN_MS ? null : known.word;
    },
  };
}

function questionMs(): number {
  const left = timeLeftMs();
  return left === Number.POSITIVE_INFINITY ? QUESTION_MS : left - FALLBACK_MS;
}

/** How the sources are, as far as is known or a probe tells. */
function createHealthReader(
  providers: readonly Provider[],
  guardOf: (provider: Provider) => Guard,
  { now, log }: GuardTools,
) {
  const health = () => providers.map((provider) => guardOf(provider).health());

  async function loadHealth(): Promise<readonly ProviderHealth[]> {
    await Promise.all(
      providers.map(async (provider) => {
        try {
          await guardOf(provider).refresh();
        } catch (error) {
          log.warn({ provider: provider.name, reason: messageOf(error) }, "a budget cannot be read");
        }
      }),
    );
    return health();
  }

  /** Probes count against a budget, which is there for those who want data. */
  function isWorthAProbe(provider: Provider): boolean {
    if (provider.quota === undefined) return true;
    const guard = guardOf(provider);
    const { ok, lastSuccessAt, lastErrorAt } = guard.health();
    const asked = Math.max(lastSuccessAt ?? 0, lastErrorAt ?? 0);
    return guard.isReady() && (ok === null || (!ok && now() - asked >= PROBE_REST_MS));
  }

  return {
    health,
    loadHealth,
    async probe(): Promise<readonly ProviderHealth[]> {
      const limitMs = questionMs();
      await Promise.all(
        providers.filter(isWorthAProbe).map(async (provider) => {
          try {
            await guardOf(provider).run((signal) => provider.probe(signal), limitMs, "source");
          } catch (error) {
            log.debug({ provider: provider.name, reason: messageOf(error) }, "probe failed");
          }
        }),
      );
      return loadHealth();
    },
  };
}

/**
 * What a caller is told when no source gave anything: `provider_unavailable`, or where each of them knows nothing of
 * it, `symbol_unknown`, for options `options_unavailable`.
 */
export function noAnswer(
  { symbol }: Instrument,
  refusals: readonly Refusal[],
  kind: QuestionKind = "candles",
): AppError {
  if (refusals.every(({ error }) => error.failure === "unknown_symbol")) {
    if (kind === "options") {
      return new AppError("options_unavailable", `No configured source lists options on ${symbol}`);
    }
    return new AppError("symbol_unknown", `No configured source knows ${symbol}`);
  }
  return unavailable(`No source gave data for ${symbol}`, refusals);
}

/** The error that says why each source gave nothing, and when the first of them may be asked again. */
export function unavailable(what: string, refusals: readonly Refusal[]): AppError {
  const rests = refusals.map(({ error }) => Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1_000));
  return new AppError("provider_unavailable", `${what} (${reasonsOf(refusals)})`, {
    retryAfterS: Math.max(1, Math.min(...rests)),
    cause: refusals[0]?.error,
  });
}

const RETRY_AFTER_MS = 30_000;

export function reasonsOf(refusals: readonly Refusal[]): string {
  return refusals.map(({ provider, error }) => `${provider.name}: ${error.message}`).join("; ");
}
