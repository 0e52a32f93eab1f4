import { ensure } from "../core/base/assert.js";
import type { CorporateAction } from "../core/market/actions.js";
import type { Instrument } from "../core/market/instrument.js";
import type { ChainQuotes } from "../core/market/option-quote.js";
import type { Quote } from "../core/market/quote.js";
import { AppError } from "../platform/errors.js";
import {
  type FoundSymbol,
  type MarketStatus,
  type NewsItem,
  type OptionSource,
  type Provider,
  ProviderError,
  type ProviderFailure,
} from "./define.js";
import { classOf } from "./order.js";
import {
  noAnswer,
  type QuestionKind,
  type Refusal,
  reasonsOf,
  type Sources,
  type Topic,
  unavailable,
} from "./sources.js";

/** What a source gave, with its name. */
export type Sourced<T> = { readonly value: T; readonly source: string; readonly synthetic: boolean };

/** What becomes of an answer: it is given, or given where no other is, or never. */
export type Judgement =
  | { readonly use: "given"; readonly reason: null }
  | { readonly use: "spare" | "never"; readonly reason: string };

/** Looks at a quote before it is given. */
export type Judge = (quote: Quote, source: string) => Promise<Judgement>;

/** A quote, and why it is not that of an earlier source; null where it is. */
export type JudgedQuote = Sourced<Quote> & { readonly trouble: string | null };

/** A source that gave nothing, and why. */
export interface SourceRefusal {
  readonly source: string;
  readonly failure: ProviderFailure;
  /** Safe to show. */
  readonly reason: string;
  readonly retryAfterMs: number | null;
}

export interface NewsQuery {
  /** Null for markets at large. */
  readonly instrument: Instrument | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What each source of news gave, or why it gave none. */
export interface FetchedNews {
  readonly answers: readonly Sourced<readonly NewsItem[]>[];
  readonly refusals: readonly SourceRefusal[];
}

const sourced = <T>({ name, synthetic }: Provider, value: T): Sourced<T> => ({
  value,
  source: name,
  synthetic,
});

type Question<T> = (provider: Provider, signal: AbortSignal) => Promise<T>;

/** The answer of the first source that gives one, an empty one only where no other follows. */
async function firstOf<T>(
  sources: Sources,
  able: readonly Provider[],
  topic: Topic,
  ask: Question<T>,
  isEmpty: (value: T) => boolean = () => false,
): Promise<Sourced<T> | readonly Refusal[]> {
  const refusals: Refusal[] = [];
  let empty: Sourced<T> | null = null;
  const question = sources.question();
  for (const [i, provider] of able.entries()) {
    const until = question.shareOf(able.slice(i));
    const answer = await sources.answerOf(provider, topic, () =>
      sources.ask(provider, until, (signal) => ask(provider, signal)),
    );
    if (answer instanceof ProviderError) refusals.push({ provider, error: answer });
    else if (isEmpty(answer.value)) empty ??= sourced(provider, answer.value);
    else return sourced(provider, answer.value);
  }
  return empty ?? refusals;
}

/** The answers of all, asked at the same time, and the refusals. */
async function allOf<T>(sources: Sources, able: readonly Provider[], kind: QuestionKind, ask: Question<T>) {
  const { endsAt } = sources.question();
  const found = await Promise.all(
    able.map(async (provider) => {
      const answer = await sources.answerOf(provider, { instrument: null, kind }, () =>
        sources.ask(provider, endsAt, (signal) => ask(provider, signal)),
      );
      return { provider, answer };
    }),
  );
  const answers: Sourced<T>[] = [];
  const refusals: Refusal[] = [];
  for (const { provider, answer } of found) {
    if (answer instanceof ProviderError) refusals.push({ provider, error: answer });
    else answers.push(sourced(provider, answer.value));
  }
  return { answers, refusals };
}

function isRefused<T>(found: Sourced<T> | readonly Refusal[]): found is readonly Refusal[] {
  return Array.isArray(found);
}

function missing(what: string): AppError {
  return new AppError("source_missing", `No configured source has ${what}`);
}

const WORDS = { options: "options", actions: "splits and dividends" } as const;

const giveAll: Judge = async () => ({ use: "given", reason: null });

/** What sources may have beside candles. Each verb asks through the guards. */
export function createVerbs(sources: Sources) {
  return Object.assign(createInstrumentVerbs(sources), createMarketVerbs(sources));
}

/** What they have of one instrument. */
function createInstrumentVerbs(sources: Sources) {
  /** The first answer about an instrument. @throws {AppError} `source_missing`, or as `noAnswer`. */
  async function about<T>(
    instrument: Instrument,
    kind: "options" | "actions",
    able: readonly Provider[],
    ask: Question<T>,
    isEmpty?: (value: T) => boolean,
  ): Promise<Sourced<T>> {
    if (able.length === 0) throw missing(`${WORDS[kind]} of ${instrument.symbol}`);
    const found = await firstOf(sources, able, { instrument, kind }, ask, isEmpty);
    if (isRefused(found)) throw noAnswer(instrument, found, kind);
    return found;
  }

  function aboutOptions<T>(
    underlying: Instrument,
    ask: (source: OptionSource, signal: AbortSignal) => Promise<T>,
    isEmpty?: (value: T) => boolean,
  ): Promise<Sourced<T>> {
    const all = sources.ofClass(classOf(underlying));
    const able = all.filter((provider) => provider.options?.carries(underlying) === true);
    const question: Question<T> = (provider, signal) => ask(ensure(provider.options, "options"), signal);
    return about(underlying, "options", able, question, isEmpty);
  }

  return {
    fetchQuote: (instrument: Instrument, judge: Judge = giveAll) => fetchQuote(sources, instrument, judge),

    fetchExpiries(underlying: Instrument): Promise<Sourced<readonly number[]>> {
      return aboutOptions(
        underlying,
        (source, signal) => source.fetchExpiries(underlying, signal),
        (days) => days.length === 0,
      );
    },

    fetchChain(underlying: Instrument, expiryDay: number): Promise<Sourced<ChainQuotes>> {
      return aboutOptions(underlying, (source, signal) => source.fetchChain(underlying, expiryDay, signal));
    },

    fetchActions(
      instrument: Instrument,
      fromDay: number,
      toDay: number,
    ): Promise<Sourced<readonly CorporateAction[]>> {
      const able = sources
        .carriers(instrument, "actions")
        .filter(
          ({ fetchActions, tellsActions }) =>
            fetchActions !== undefined && tellsActions?.(instrument) !== false,
        );
      return about(instrument, "actions", able, (provider, signal) =>
        ensure(provider.fetchActions?.(instrument, fromDay, toDay, signal), "actions"),
      );
    },
  };
}

/** The first quote that is judged fit, or the newest that may stand in; null where a source has none of its own. */
async function fetchQuote(
  sources: Sources,
  instrument: Instrument,
  judge: Judge,
): Promise<JudgedQuote | null> {
  const topic = { instrument, kind: "quote" } as const;
  const refusals: Refusal[] = [];
  const judged: Refusal[] = [];
  let spare: Sourced<Quote> | null = null;
  const carriers = sources.carriers(instrument, topic.kind);
  const question = sources.question();
  const told = () => (judged.length === 0 ? null : reasonsOf(judged));
  for (const [i, provider] of carriers.entries()) {
    const until = question.shareOf(carriers.slice(i));
    const answer = await sources.answerOf(provider, topic, () =>
      sources.ask(provider, until, (signal) => provider.fetchQuote(instrument, signal)),
    );
    if (answer instanceof ProviderError) refusals.push({ provider, error: answer });
    if (answer instanceof ProviderError || answer.value === null) continue;
    const { value } = answer;
    const { use, reason } = await judge(value, provider.name);
    if (use === "given") return { ...sourced(provider, value), trouble: told() };
    const isNewer = spare === null || value.time > spare.value.time;
    if (use === "spare" && isNewer) spare = sourced(provider, value);
    judged.push({ provider, error: new ProviderError("bad_payload", reason) });
  }
  if (spare !== null) return { ...spare, trouble: told() };
  refusals.push(...judged);
  if (refusals.length < carriers.length) return null;
  throw noAnswer(instrument, refusals);
}

/** What they have of all markets. */
function createMarketVerbs(sources: Sources) {
  const all = sources.ofClass(null);

  return {
    async search(text: string): Promise<readonly Sourced<FoundSymbol>[]> {
      const able = all.filter(({ search }) => search !== undefined);
      if (able.length === 0) throw missing("a search for symbols");
      const { answers, refusals } = await allOf(sources, able, "search", (provider, signal) =>
        ensure(provider.search?.(text, signal), "search"),
      );
      if (answers.length === 0) throw unavailable("No source could be searched", refusals);
      const bySymbol = new Map<string, Sourced<FoundSymbol>>();
      for (const { value, ...origin } of answers) {
        for (const found of value) {
          const { symbol } = found.instrument;
          if (!bySymbol.has(symbol)) bySymbol.set(symbol, { value: found, ...origin });
        }
      }
      return [...bySymbol.values()];
    },

    async fetchStatus(): Promise<Sourced<MarketStatus> | null> {
      const able = all.filter(({ fetchStatus }) => fetchStatus !== undefined);
      if (able.length === 0) return null;
      const found = await firstOf(sources, able, { instrument: null, kind: "status" }, (provider, signal) =>
        ensure(provider.fetchStatus?.(signal), "status"),
      );
      if (isRefused(found)) throw unavailable("No source told the state of the market", found);
      return found;
    },

    async fetchNews(query: NewsQuery): Promise<FetchedNews> {
      const able = all.filter(({ news }) => news !== undefined);
      if (able.length === 0) throw missing("news");
      const { answers, refusals } = await allOf(sources, able, "news", (provider, signal) =>
        ensure(provider.news, "news").fetchNews(query, signal),
      );
      return {
        answers,
        refusals: refusals.map(({ provider, error: { failure, message, retryAfterMs } }) => ({
          source: provider.name,
          failure,
          reason: message,
          retryAfterMs,
        })),
      };
    },
  };
}
