import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** Each call that the pages of existing clients make, with the fields that they read of its answer: api/clients.md. */
const number = z.number().nullable();
const text = z.string().nullable();
const flag = z.boolean();
const any = z.unknown();

interface PageCall {
  readonly page: string;
  readonly url: string;
  /** What is sent; a GET without. */
  readonly body?: () => Readonly<Record<string, unknown>>;
  readonly reads: z.ZodType;
}

/** Fields within `data`. */
const within = (shape: z.ZodRawShape) => z.looseObject({ data: z.looseObject(shape) });
const rows = (shape: z.ZodRawShape, least = 1) =>
  z.looseObject({ data: z.array(z.looseObject(shape)).min(least) });
const top = (shape: z.ZodRawShape) => z.looseObject(shape);

const TRADE = {
  ...{ id: z.number(), symbol: z.string(), side: z.string(), quantity: z.number(), entry_price: z.number() },
  ...{ current_price: number, exit_price: number, pnl: number, pnl_pct: number, pattern: text },
  ...{ status: z.enum(["open", "closed"]), confidence: number, created_at: z.string(), closed_at: text },
};
let settings: Record<string, unknown> = {};
let scanConfig: Record<string, unknown> = {};
let openTrade = 0;

const BACKTEST = {
  ...{ total_return: number, total_return_pct: number, max_drawdown: number, max_drawdown_pct: number },
  ...{ sharpe_ratio: number, win_rate: number, total_trades: z.number(), winning_trades: z.number() },
  ...{
    losing_trades: z.number(),
    avg_win: number,
    avg_loss: number,
    best_trade: number,
    worst_trade: number,
  },
  ...{ start_date: z.string(), end_date: z.string(), initial_capital: z.number(), final_capital: z.number() },
  equity_curve: z.array(z.looseObject({ date: z.string(), value: z.number(), return_pct: number })).min(2),
  trades: z.array(
    z.looseObject({
      ...{ entry_date: z.string(), exit_date: text, symbol: z.string(), side: z.string() },
      ...{ entry_price: z.number(), exit_price: number, quantity: z.number(), pnl: number, pnl_pct: number },
      ...{ pattern: text, confidence: number },
    }),
  ),
};

const CALLS: readonly PageCall[] = [
  { page: "/", url: "/api/market-scan", reads: rows({ symbol: z.string(), change_pct: number }) },
  {
    page: "/",
    url: "/api/coverage",
    reads: within({
      coverage_pct: number,
      scanned_assets: z.number(),
      total_assets: z.number(),
      last_update: text,
    }),
  },
  {
    page: "/",
    url: "/api/analytics/summary",
    reads: within({
      total_patterns_detected: z.number(),
      total_alerts_today: z.number(),
      success_rate: number,
      top_performers: z.array(any),
    }),
  },
  {
    page: "/",
    url: "/api/get_active_alerts",
    reads: top({
      alerts: z
        .array(
          z.looseObject({
            ...{ id: z.number(), symbol: z.string(), alert_type: z.string(), confidence_pct: number },
            ...{ price: z.number(), timestamp: z.string(), status: z.string() },
            metadata: z.looseObject({ suggested_action: z.string() }),
          }),
        )
        .min(1),
    }),
  },
  { page: "every page", url: "/health", reads: top({ status: z.string() }) },
  { page: "every page", url: "/api/provider-health", reads: top({ success: z.literal(true) }) },
  { page: "every page", url: "/api/market/AAPL", reads: within({ price: z.number() }) },
  { page: "every page", url: "/api/scan/status", reads: within({ active: flag }) },
  { page: "/paper-trading", url: "/api/paper-trades", reads: rows(TRADE) },
  {
    page: "/paper-trading",
    url: "/api/trading-stats",
    reads: within({
      ...{
        total_trades: z.number(),
        winning_trades: z.number(),
        losing_trades: z.number(),
        win_rate: number,
      },
      ...{ avg_win: number, avg_loss: number, best_trade: number, worst_trade: number },
    }),
  },
  {
    page: "/paper-trading",
    url: "/api/paper-trades",
    body: () => ({ symbol: "ETH", side: "BUY", quantity: 0.1 }),
    reads: top({ success: z.literal(true) }),
  },
  {
    page: "/paper-trading",
    url: "/api/close-position",
    body: () => ({ trade_id: openTrade }),
    reads: top({ success: z.literal(true), message: z.string(), pnl: number }),
  },
  {
    page: "/scan-control",
    url: "/api/scan/config",
    reads: within({ symbols: z.array(z.string()).min(1), interval: any, auto_alerts: flag }),
  },
  {
    page: "/scan-control, which sends all back",
    url: "/api/scan/config",
    body: () => ({ ...scanConfig, of_the_page: true }),
    reads: top({ success: z.literal(true) }),
  },
  {
    page: "/backtesting",
    url: "/api/strategies",
    reads: rows({ id: z.number(), name: z.string(), description: z.string() }),
  },
  {
    page: "/backtesting",
    url: "/api/patterns/list",
    reads: rows({
      name: z.string(),
      description: z.string(),
      type: z.enum(["bullish", "bearish", "neutral"]),
    }),
  },
  {
    page: "/backtesting, a strategy",
    url: "/api/backtest",
    body: () => ({ ...span(), symbol: "AAPL", min_confidence: 60, strategy_id: "golden_cross" }),
    reads: within(BACKTEST),
  },
  {
    page: "/backtesting, a pattern",
    url: "/api/backtest",
    body: () => ({ ...span(), symbol: "AAPL", min_confidence: 0, pattern_name: "Hammer" }),
    reads: within(BACKTEST),
  },
  {
    page: "/sentiment",
    url: "/api/sentiment/AAPL",
    reads: within({
      ...{ overall_sentiment: any, sentiment_score: number, confidence: number },
      sentiment_label: z.enum(["BULLISH", "BEARISH", "NEUTRAL"]).nullable(),
      sources: z.looseObject({ news: number, social: number, technical: number }),
      metrics: z.looseObject({
        volume_buzz: number,
        social_mentions: number,
        news_articles: number,
        analyst_ratings: any,
      }),
      historical: z.array(z.looseObject({ date: z.string(), sentiment: number, volume: number })),
      keywords: z.array(z.looseObject({ keyword: z.string(), sentiment: number, mentions: z.number() })),
      ...{ price_correlation: number, last_updated: text },
    }),
  },
  {
    page: "/sentiment",
    url: "/api/sentiment/twitter-health",
    reads: within({
      ...{ status: z.string(), last_update: text, rate_limit_remaining: number, rate_limit_reset: any },
      api_version: text,
    }),
  },
  {
    page: "/sentiment",
    url: "/api/signals/entry-exit?symbol=AAPL",
    reads: within({
      signals: z.array(
        z.looseObject({
          ...{ type: z.string(), action: z.string(), confidence: number, price_target: number },
          ...{ stop_loss: number, timeframe: z.string(), reasoning: any },
        }),
      ),
      last_updated: z.string(),
    }),
  },
  {
    page: "/sentiment",
    url: "/api/sentiment/enhance-confidence",
    body: () => ({ symbol: "AAPL", base_confidence: 0.6, pattern_type: "AUTO" }),
    reads: top({ success: z.literal(true) }),
  },
  {
    page: "/risk",
    url: "/api/risk-settings",
    reads: within({
      ...{ max_position_size: z.number(), max_portfolio_risk: number, stop_loss_percentage: z.number() },
      ...{ max_daily_trades: number, max_drawdown_limit: number, require_confirmation: flag },
      ...{ enable_auto_stop_loss: flag, enable_position_sizing: flag, risk_free_rate: number },
      correlation_threshold: number,
    }),
  },
  {
    page: "/risk, which sends all back",
    url: "/api/risk-settings",
    body: () => settings,
    reads: top({ success: z.literal(true) }),
  },
  {
    page: "/risk",
    url: "/api/recommend/complete?symbol=AAPL",
    reads: within({
      ...{
        confidence: number,
        reasoning: any,
        target_price: number,
        stop_loss: number,
        timeframe: z.string(),
      },
      risk_assessment: z.looseObject({
        risk_score: number,
        risk_factors: z.array(any),
        risk_mitigation: z.array(any),
      }),
      position_sizing: z.looseObject({ recommended_size: number, max_size: number, kelly_criterion: number }),
      last_updated: z.string(),
    }),
  },
  {
    page: "/ai-insights",
    url: "/api/explain/reasoning",
    body: () => ({ symbol: "AAPL", pattern: "Engulfing" }),
    reads: top({
      ...{ symbol: z.string(), pattern: z.string(), composite_score: number, quality_badge: text },
      reasoning: z.array(
        z.looseObject({
          icon: z.string(),
          status: z.string(),
          title: z.string(),
          description: z.string(),
          details: any,
        }),
      ),
      recommendation: z.looseObject({
        ...{ action: z.string(), confidence: number, target_price: number, stop_loss: number },
        ...{ risk_score: number, risk_level: text },
      }),
      historical_accuracy: z.looseObject({
        pattern_type: text,
        accuracy: number,
        sample_size: z.number(),
        avg_return: number,
      }),
    }),
  },
  {
    page: "/ai-insights",
    url: "/api/patterns/heatmap?symbol=AAPL",
    reads: top({
      symbol: z.string(),
      patterns: z
        .array(
          z.looseObject({
            ...{
              pattern_name: z.string(),
              pattern_type: z.string(),
              max_confidence: number,
              avg_confidence: number,
            },
            timeframes: z.array(z.looseObject({ timeframe: z.string(), confidence: number, detected: flag })),
          }),
        )
        .min(1),
      timeframes: z.array(any).min(1),
    }),
  },
  {
    page: "/ai-insights",
    url: "/api/ml/online-status",
    reads: top({
      is_learning: flag,
      recent_updates: z.array(
        z.looseObject({ timestamp: z.string(), description: z.string(), impact: any, type: z.string() }),
      ),
      model_stats: z.looseObject({
        ...{ total_patterns_learned: z.number(), training_samples: z.number(), last_update: text },
        ...{ next_update_seconds: number, accuracy_trend: any },
      }),
    }),
  },
  {
    page: "/ai-insights",
    url: "/api/analytics/attribution",
    reads: top({ total_return: number, return_pct: number, period: z.string(), layers: z.array(any).min(1) }),
  },
  {
    page: "/ai-insights",
    url: "/api/analytics/forecast",
    reads: top({
      period: z.string(),
      predictions: z.array(
        z.looseObject({ metric: z.string(), value: number, confidence: number, trend: text, basis: any }),
      ),
      upcoming_setups: z.array(any),
    }),
  },
  {
    page: "/ai-insights",
    url: "/api/achievements",
    reads: top({
      achievements: z
        .array(
          z.looseObject({
            ...{
              id: z.string(),
              icon: z.string(),
              title: z.string(),
              description: z.string(),
              reward_xp: z.number(),
            },
            ...{ badge: any, unlocked: flag, unlocked_at: text, progress: number, progress_max: number },
          }),
        )
        .length(15),
      user_stats: z.looseObject({
        ...{ level: z.number(), title: z.string(), current_xp: z.number(), next_level_xp: number },
        ...{ total_achievements: z.number(), unlocked_achievements: z.number() },
        ...{ leaderboard_rank: number, total_users: number },
      }),
    }),
  },
  {
    page: "/ai-insights",
    url: "/api/streak",
    reads: top({
      ...{ current_streak: z.number(), longest_streak: z.number(), total_trading_days: z.number() },
      profitable_days: z.number(),
      calendar: z.array(z.looseObject({ date: z.string(), traded: flag, profitable: any })).length(30),
      milestones: z.array(z.looseObject({ days: z.number(), reward_xp: z.number(), reached: flag })).min(1),
    }),
  },
  {
    page: "the other client's portfolio",
    url: "/api/paper-trade/portfolio?user_id=me",
    reads: rows({
      ...{ symbol: z.string(), side: z.string(), qty: z.number(), price: z.number(), opened_at: z.string() },
      ...{ closed_at: text, pnl: number, status: z.string() },
    }),
  },
  {
    page: "the other client's order",
    url: "/api/paper-trade/execute",
    body: () => ({ symbol: "BTC", side: "buy", qty: 0.01, price: null, user_id: "me" }),
    reads: top({ success: z.literal(true) }),
  },
];

let program: TestProgram;
const span = () => {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const now = program.parts.clock.now();
  return {
    start_date: day(now - 700 * 86_400_000),
    end_date: day(now - 86_400_000),
    initial_capital: 10_000,
  };
};

beforeAll(async () => {
  program = await startTestProgram({
    environment: { SCAN_INTERVALS: "5m,1h", ALERT_CONFIDENCE_THRESHOLD: "0", ALERT_DEDUPE_MINUTES: "0" },
  });
  await program.parts.scanner.start({});
  await program.parts.scanner.loop.run(program.parts.clock.now(), new AbortController().signal);
  await program.parts.scanner.stop();
  const order = { symbol: "BTC", side: "BUY", quantity: 0.01 };
  for (let k = 0; k < 2; k++)
    await program.call({ method: "POST", url: "/api/paper-trades", payload: order });
  const { data } = (await program.call("/api/paper-trades?status=open")).json();
  openTrade = data[0].id;
  settings = (await program.call("/api/risk-settings")).json().data;
  scanConfig = (await program.call("/api/scan/config")).json().data;
}, 120_000);
afterAll(() => program.close());

describe("what pages of existing clients call, without a token", () => {
  it.each(
    CALLS.map(
      (call) => [`${call.body === undefined ? "GET" : "POST"} ${call.url}`, call.page, call] as const,
    ),
  )("200 %s has what %s reads", async (_, _page, { url, body, reads }) => {
    const answer = await program.server.inject(
      body === undefined ? { url } : { method: "POST", url, payload: body() },
    );
    expect(answer.statusCode, answer.body.slice(0, 400)).toBe(200);
    expect(answer.json().success).not.toBe(false);
    const read = reads.safeParse(answer.json());
    expect(
      read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    ).toEqual([]);
  });
});
