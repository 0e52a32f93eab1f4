import { barClose } from "../../core/market/bar-times.js";
import { DAY_MS } from "../../core/market/day.js";
import { normaliseSymbol } from "../../core/market/instrument.js";
import { calendarOf } from "../../core/market/session.js";
import type { Judgement } from "../../core/sentiment/judge.js";
import { scoreText, type TextSentiment } from "../../core/sentiment/score.js";
import { SHIPPED } from "../../core/sentiment/shipped.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService } from "../candles/candles.js";
import type { Market } from "../candles/market.js";
import type { Instruments } from "../instruments/instruments.js";
import type { News } from "../news/news.js";
import {
  type DaySentiment,
  historyOf,
  type Measure,
  measureTexts,
  priceCorrelation,
  WINDOW_MS,
} from "./measure.js";
import type { ClassifierState, ScoredText, SentimentModel } from "./model.js";
import type { NewScore, PendingDocument, SentimentStore } from "./store.js";
import { technicalScore } from "./technical.js";

/** A number, or why there is none. */
export type Figure =
  | { readonly value: number; readonly reason: null }
  | { readonly value: null; readonly reason: string };

export interface SymbolSentiment extends Measure {
  readonly symbol: string;
  /** Newest last, of the last ninety days at most. */
  readonly history: readonly DaySentiment[];
  /** What prices say, -1..1. */
  readonly technical: Figure;
  readonly correlation: Figure;
  /** When texts about it were last collected, epoch ms; null for never. */
  readonly collectedMs: number | null;
}

export interface Sentiment {
  /** Scores what is not scored yet. @returns how many texts. */
  scorePending(signal: AbortSignal): Promise<number>;
  /**
   * Now, or by the texts that had been published and read by a moment, epoch ms.
   * @throws {AppError} `symbol_invalid`, `symbol_unknown`
   */
  measure(symbol: string, knownAtMs?: number): Promise<Measure & { readonly symbol: string }>;
  /** With history and what prices say. @throws {AppError} as `measure`. */
  describe(symbol: string): Promise<SymbolSentiment>;
  /** Of several symbols, and of all their texts together; of the scanned ones where none are named. */
  survey(
    symbols: readonly string[] | null,
  ): Promise<{ overall: Measure; each: (Measure & { symbol: string })[] }>;
  /** A text by the project's own model, with the words behind the score. */
  analyse(text: string): Promise<{ readonly version: string; readonly found: TextSentiment }>;
  readonly model: SentimentModel;
  readonly classifier: ClassifierState;
}

export interface SentimentOptions {
  readonly store: SentimentStore;
  readonly news: News;
  readonly instruments: Instruments;
  readonly candles: CandleService;
  readonly market: Market;
  /** What scores texts. */
  readonly model: SentimentModel;
  /** Lexicon and classifier of the project. */
  readonly own: SentimentModel;
  readonly classifier: ClassifierState;
  /** Symbols that are scanned now. */
  readonly universe: () => readonly string[];
  readonly now: () => number;
}

const BATCH = 200;
const HISTORY_MS = 90 * DAY_MS;
const ROWS_LIMIT = 20_000;

export function createSentiment(options: SentimentOptions): Sentiment {
  const { store, news, instruments, model, now } = options;
  /** Ids up to here are scored. */
  let doneTo = 0;
  let underway: Promise<number> = Promise.resolve(0);

  async function scoreAll(signal: AbortSignal): Promise<number> {
    const aliases = await news.aliases();
    let scored = 0;
    for (;;) {
      signal.throwIfAborted();
      const pending = await store.loadPending(model.version, doneTo, BATCH);
      const scores: NewScore[] = [];
      for (const document of pending) {
        signal.throwIfAborted();
        scores.push(...scoresOf(document, await model.score(textOf(document), aliases)));
      }
      if (scores.length > 0) await store.save(model.version, scores);
      doneTo = pending.at(-1)?.id ?? doneTo;
      scored += pending.length;
      if (pending.length < BATCH) return scored;
    }
  }

  async function load(symbols: readonly string[], reachMs: number, knownAtMs?: number) {
    if (news.feeds.absence !== null) return [];
    const toMs = knownAtMs ?? now();
    const wanted = { fromMs: toMs - reachMs, toMs, limit: ROWS_LIMIT, scoredByMs: knownAtMs };
    return store.load(model.version, symbols, wanted);
  }

  async function measure(text: string, knownAtMs?: number) {
    const { symbol } = instruments.identify(text);
    const texts = await load([symbol], WINDOW_MS, knownAtMs);
    return { symbol, ...measureTexts(texts, knownAtMs ?? now(), news.absenceOf) };
  }

  return {
    model,
    classifier: options.classifier,
    scorePending(signal) {
      // One after the other: two at once would score the same.
      const next = underway.catch(() => 0).then(() => scoreAll(signal));
      underway = next;
      return next;
    },
    measure,
    async describe(text) {
      const { symbol } = instruments.identify(text);
      const rows = await load([symbol], HISTORY_MS);
      const [technical, correlation, collectedMs] = await Promise.all([
        technicalOf(options, symbol),
        rows.length === 0 ? NO_TEXTS : correlationFor(options, symbol, rows),
        news.lastCollected(symbol),
      ]);
      const measured = measureTexts(rows, now(), news.absenceOf);
      return { symbol, ...measured, history: historyOf(rows), technical, correlation, collectedMs };
    },
    async survey(symbols) {
      const wanted = [
        ...new Set((symbols ?? options.universe()).map((text) => instruments.identify(text).symbol)),
      ];
      const rows = wanted.length === 0 ? [] : await load(wanted, WINDOW_MS);
      const each = wanted.map((symbol) => ({
        symbol,
        ...measureTexts(
          rows.filter((row) => row.symbol === symbol),
          now(),
          news.absenceOf,
        ),
      }));
      // A text about several of them counts once.
      const distinct = [...new Map(rows.map((row) => [row.documentId, row])).values()];
      return { overall: measureTexts(distinct, now(), news.absenceOf), each };
    },
    analyse: async (text) => ({
      version: options.own.version,
      found: scoreText(text, SHIPPED, await news.aliases()),
    }),
  };
}

const NO_TEXTS: Figure = { value: null, reason: "no texts about it are stored" };

const textOf = ({ title, summary }: PendingDocument) => (summary === "" ? title : `${title}\n${summary}`);

function scoresOf(document: PendingDocument, { whole, symbols, terms }: ScoredText): NewScore[] {
  const row = (
    symbol: string,
    { score, confidence, label }: Judgement,
    words: readonly string[],
  ): NewScore => ({
    documentId: document.id,
    symbol,
    score,
    confidence,
    label,
    terms: words,
  });
  const linked = new Set(document.symbols);
  const own = new Map<string, Judgement>();
  for (const [name, judgement] of symbols) {
    const symbol = linked.has(name) ? name : normaliseSymbol(name);
    if (symbol !== null && linked.has(symbol) && !own.has(symbol)) own.set(symbol, judgement);
  }
  return [row("", whole, terms), ...[...own].map(([symbol, judgement]) => row(symbol, judgement, []))];
}

/** Sentiment is answered also while prices cannot be had. */
async function figureOf(work: () => Promise<Figure>): Promise<Figure> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    return { value: null, reason: error.message };
  }
}

function technicalOf({ market }: SentimentOptions, symbol: string): Promise<Figure> {
  return figureOf(async () => {
    const [{ price }, indicators] = await Promise.all([
      market.loadQuote(symbol),
      market.loadDailyIndicators(symbol),
    ]);
    const value = technicalScore(price, indicators);
    return value === null ? { value, reason: "too few daily bars" } : { value, reason: null };
  });
}

function correlationFor(
  { candles, instruments }: SentimentOptions,
  symbol: string,
  rows: Parameters<typeof priceCorrelation>[0],
): Promise<Figure> {
  return figureOf(async () => {
    const instrument = await instruments.resolve(symbol);
    const days = Math.ceil(HISTORY_MS / DAY_MS);
    const { candles: bars } = await candles.loadLatest(instrument, "1d", days);
    const calendar = calendarOf(instrument.calendar);
    const time = Array.from(bars.time, (open) => barClose(calendar, "1d", open));
    const found = priceCorrelation(rows, { time, close: bars.close });
    return found.value === null ? found : { value: found.value, reason: null };
  });
}
