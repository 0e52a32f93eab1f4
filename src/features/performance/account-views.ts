import type { z } from "zod";
import { MICROS, roundQuantity } from "../../core/execution/money.js";
import { dateOf } from "../../core/market/day.js";
import { dayAt } from "../../core/market/zone.js";
import { achievementsOf, experienceOf, levelOf } from "../../core/performance/achievements.js";
import { type Attribution, type AttributionRow, INTEREST } from "../../core/performance/attribution.js";
import { MANUAL } from "../../core/performance/cause.js";
import type { Figure } from "../../core/performance/figure.js";
import type { Forecast } from "../../core/performance/forecast.js";
import { drawdownsOf, growthOf } from "../../core/performance/returns.js";
import {
  causeKey,
  hourKey,
  statisticsBy,
  statisticsOf,
  symbolKey,
  type TradeGroup,
  type TradeStatistics,
} from "../../core/performance/statistics.js";
import { streaksOf } from "../../core/performance/streaks.js";
import type { ClosedTrade } from "../../core/performance/trade.js";
import { isoTime } from "../../platform/http.js";
import { moneyOf, percentOf } from "../paper-trades/amounts.js";
import type {
  achievementSchema,
  forecastSchema,
  performanceSchema,
  statisticsSchema,
  tradeStreakSchema,
  userStatsSchema,
} from "./account-schema.js";
import { type Career, NO_ACCOUNT_REASON, type PerformanceLook, type TradesLook } from "./looks.js";

const percent = (share: number | null) => (share === null ? null : percentOf(share));
const toUnits = (micros: number | null) => (micros === null ? null : moneyOf(micros));

function totalsOf(found: TradeStatistics) {
  const { trades } = found;
  return {
    total_trades: trades,
    winning_trades: found.wins,
    losing_trades: found.losses,
    win_rate: percent(found.winRate),
    avg_pnl: toUnits(found.expectancy),
    total_pnl: moneyOf(found.net),
    best_trade: toUnits(found.best),
    worst_trade: toUnits(found.worst),
    avg_win: toUnits(found.averageWin),
    avg_loss: toUnits(found.averageLoss),
    profit_factor: found.profitFactor,
    no_losses: found.noLosses,
    payoff: found.payoff,
    expectancy: toUnits(found.expectancy),
    longest_winning_run: found.longestWins,
    longest_losing_run: found.longestLosses,
    avg_holding_minutes: found.averageHoldingMs === null ? null : found.averageHoldingMs / 60_000,
    fees: moneyOf(found.fees),
    ambiguous_trades: found.ambiguous,
  };
}

const groupsOf = (groups: readonly TradeGroup<string | number>[]) =>
  groups.map(({ key, statistics }) => ({
    name: String(key),
    trades: statistics.trades,
    win_rate: percent(statistics.winRate),
    total_pnl: moneyOf(statistics.net),
    avg_pnl: toUnits(statistics.expectancy),
  }));

/** By the lists they are of, which stay the same while nothing happens. */
const known = new WeakMap<readonly ClosedTrade[], ReturnType<typeof closedFigures>>();

function closedFigures({ closed, causes, zone }: TradesLook) {
  return {
    totals: totalsOf(statisticsOf(closed)),
    groups: {
      pattern_performance: groupsOf(statisticsBy(closed, causeKey(causes, "pattern"))),
      by_symbol: groupsOf(statisticsBy(closed, symbolKey)),
      by_strategy: groupsOf(statisticsBy(closed, causeKey(causes, "strategy"))),
      by_hour: groupsOf(statisticsBy(closed, hourKey(zone))),
    },
  };
}

export function statisticsView(look: TradesLook, synthetic: boolean): z.input<typeof statisticsSchema> {
  const { account, trades, closed, unrealised } = look;
  const { totals, groups } = known.get(closed) ?? closedFigures(look);
  known.set(closed, { totals, groups });
  return {
    ...totals,
    open_trades: trades.length - closed.length,
    unrealised_pnl: moneyOf([...unrealised.values()].reduce((sum, gain) => sum + gain, 0)),
    trading_performance: totals,
    ...groups,
    account_id: account?.id ?? null,
    currency: account?.rules.account.currency ?? null,
    synthetic,
  };
}

const NONE: Figure = { value: null, reason: NO_ACCOUNT_REASON };
const CHAINED = "Of days from the closes of what was held, freed of money paid in and out, chained";

export function performanceView(
  look: PerformanceLook | null,
  synthetic: boolean,
): z.input<typeof performanceSchema> {
  const figures = look?.figures;
  const ratios = { sharpe: figures?.sharpe, sortino: figures?.sortino, calmar: figures?.calmar };
  const reasons = Object.entries(ratios).flatMap(([name, figure = NONE]) =>
    figure.reason === null ? [] : [[name, figure.reason]],
  );
  return {
    account_id: look?.account.id ?? null,
    equity_curve: look === null ? [] : curveOf(look),
    total_return: look === null ? null : gainOf(look),
    return_pct: percent(figures?.total.value ?? null),
    time_weighted: figures?.total ?? NONE,
    money_weighted: look?.money.yearly ?? NONE,
    money_weighted_total: look?.money.whole ?? NONE,
    cagr: figures?.cagr ?? NONE,
    volatility: figures?.volatility ?? NONE,
    sharpe: ratios.sharpe?.value ?? null,
    sortino: ratios.sortino?.value ?? null,
    calmar: ratios.calmar?.value ?? null,
    reasons: Object.fromEntries(reasons),
    max_drawdown: look === null ? null : percentOf(look.drawdown.depth),
    drawdown: look === null ? null : drawdownOf(look),
    exposure: look?.exposure ?? null,
    benchmark: look === null ? null : benchmarkOf(look),
    definitions: {
      days_a_year: look?.year.days ?? null,
      risk_free: look?.year.riskFree ?? null,
      returns: CHAINED,
    },
    unpriced: [...(look?.unpriced ?? [])],
    synthetic,
  };
}

function curveOf({ days, returns }: PerformanceLook) {
  const depths = drawdownsOf(growthOf(returns.value));
  const placeOf = new Map(Array.from(returns.day, (day, i) => [day, i]));
  return Array.from(days.day, (day, i) => {
    const place = placeOf.get(day);
    const equity = moneyOf(days.equity[i]);
    return {
      date: dateOf(day),
      equity,
      value: equity,
      cash: moneyOf(days.cash[i]),
      long_value: moneyOf(days.long[i]),
      short_value: moneyOf(days.short[i]),
      return_pct: place === undefined ? null : percentOf(returns.value[place]),
      drawdown_pct: place === undefined ? null : percentOf(depths[place]),
      carried: days.carried[i],
    };
  });
}

/** What the account is worth beyond what was paid in less what was paid out. */
function gainOf({ days }: PerformanceLook): number | null {
  const last = days.equity.at(-1);
  if (last === undefined) return null;
  const paid =
    days.paidIn.reduce((sum, each) => sum + each, 0) - days.paidOut.reduce((sum, each) => sum + each, 0);
  return moneyOf(last - paid);
}

function drawdownOf({ drawdown }: PerformanceLook) {
  const dateOrNull = (day: number | null) => (day === null ? null : dateOf(day));
  return {
    depth_pct: percentOf(drawdown.depth),
    peak: dateOrNull(drawdown.start),
    trough: dateOrNull(drawdown.trough),
    recovered: dateOrNull(drawdown.end),
    days: drawdown.length,
  };
}

function benchmarkOf({ benchmark: { symbol, comparison, reason } }: PerformanceLook) {
  const none: Figure = { value: null, reason: reason ?? "" };
  return {
    symbol,
    n: comparison?.n ?? 0,
    alpha: comparison?.alpha ?? none,
    beta: comparison?.beta ?? none,
    correlation: comparison?.correlation ?? none,
    tracking_error: comparison?.trackingError ?? none,
    information_ratio: comparison?.informationRatio ?? none,
  };
}

/** Layers that signals have; those that had no part are shown with nothing, for clients that need a row of each. */
const LAYERS = ["rule_based", "deep_learning", "multi_timeframe", "sentiment", MANUAL];

export function attributionView(
  { total, layers, patterns, strategies, models, look }: Attribution & { look: TradesLook },
  period: string,
) {
  const shown = layers.map(attributedView);
  const silent = LAYERS.filter((name) => !shown.some((row) => row.name === name)).map((name) => ({
    name,
    contribution: 0,
    percentage: total === 0 ? null : 0,
    trades: 0,
    win_rate: null,
    avg_return: null,
  }));
  return {
    total_return: moneyOf(total),
    return_pct: look.capital > 0 ? percentOf(total / look.capital) : null,
    period,
    layers: [...shown, ...silent],
    patterns: patterns.map(attributedView),
    strategies: strategies.map(attributedView),
    models: models.map(attributedView),
    insights: layers
      .filter(({ name, contribution }) => name !== MANUAL && name !== INTEREST && contribution !== 0)
      .map(({ name, contribution, trades }) => ({
        type: contribution > 0 ? ("positive" as const) : ("negative" as const),
        message: `${name} accounts for ${moneyOf(contribution).toFixed(2)} over ${trades} trades`,
      })),
  };
}

function attributedView({ name, contribution, share, trades, winRate, averageReturn }: AttributionRow) {
  return {
    name,
    contribution: moneyOf(contribution),
    percentage: percent(share),
    trades,
    win_rate: percent(winRate),
    avg_return: percent(averageReturn),
  };
}

const PORTFOLIO = "PORTFOLIO";

/** Values of an account as money, those of a symbol as prices. */
const shownBy = (symbol: string) => (value: number) =>
  symbol === PORTFOLIO ? moneyOf(value * MICROS) : roundQuantity(value);

interface Forecasted {
  readonly now: number | null;
  readonly forecast: Forecast;
}

export function forecastView(
  { now, forecast }: Forecasted,
  symbol: string,
  timeframe: string,
): z.input<typeof forecastSchema> {
  const lines = forecast.value;
  const shown = shownBy(symbol);
  const column = (share: number) =>
    Array.from(lines?.quantiles.find((line) => line.share === share)?.value ?? [], shown);
  const loss = lines?.loss.at(-1) ?? null;
  return {
    symbol,
    timeframe,
    current_value: now === null ? null : shown(now),
    forecasted_values: column(0.5).map((value, i) => ({ day: i + 1, value })),
    confidence_interval: { share: 0.9, lower: column(0.05), upper: column(0.95) },
    quantiles: Object.fromEntries(
      (lines?.quantiles ?? []).map(({ share, value }) => [String(share), Array.from(value, shown)]),
    ),
    loss_probability: loss,
    basis:
      lines === null
        ? null
        : { days: lines.basis.days, paths: lines.basis.paths, block_days: lines.basis.blockDays },
    reason: forecast.reason,
    insights:
      loss === null
        ? []
        : [
            `${(100 * loss).toFixed(0)} % of the paths end below the value now, if days to come are like those there were`,
          ],
  };
}

/** The same in the words of later clients. */
export function predictionsOf({ now, forecast }: Forecasted, symbol: string) {
  const lines = forecast.value;
  const median = lines?.quantiles.find(({ share }) => share === 0.5)?.value.at(-1);
  const loss = lines?.loss.at(-1);
  if (lines === null || now === null || median === undefined || loss === undefined) return [];
  const trend = median > now ? ("up" as const) : median < now ? ("down" as const) : ("flat" as const);
  const basis = `${lines.basis.paths} paths of ${lines.basis.days} realised days, in blocks of ${lines.basis.blockDays} on average`;
  const metric = symbol === PORTFOLIO ? "Equity, median" : `${symbol}, median price`;
  return [
    { metric, value: shownBy(symbol)(median), confidence: trend === "down" ? loss : 1 - loss, trend, basis },
  ];
}

export function achievementViews(look: Career): {
  achievements: z.input<typeof achievementSchema>[];
  stats: z.input<typeof userStatsSchema>;
} {
  const found = achievementsOf(look.trades, look.causes, look.zone);
  const { level, title, xp, nextLevelXp } = levelOf(experienceOf(found));
  return {
    achievements: found.map((each) => ({
      id: each.id,
      name: each.name,
      title: each.title,
      description: each.description,
      icon: each.icon,
      rarity: each.rarity,
      badge: each.rarity,
      reward_xp: each.rewardXp,
      unlocked: each.unlocked,
      unlocked_at: each.unlockedAt === null ? null : isoTime(each.unlockedAt),
      progress: each.progress,
      progress_max: each.target,
      max_progress: each.target,
    })),
    stats: {
      level,
      title,
      current_xp: xp,
      next_level_xp: nextLevelXp,
      total_achievements: found.length,
      unlocked_achievements: found.filter(({ unlocked }) => unlocked).length,
      leaderboard_rank: null,
      total_users: null,
    },
  };
}

export function streakViews(look: Career, nowMs: number) {
  const found = streaksOf(look.trades, look.zone, dayAt(look.zone, nowMs));
  const { trades, days } = found;
  const data: z.input<typeof tradeStreakSchema> = {
    current_streak: trades.current,
    longest_streak: trades.longestWinning,
    longest_losing_streak: trades.longestLosing,
    streak_type: trades.kind,
    last_trade_result: found.lastResult,
    streak_start_date: trades.since === null ? null : isoTime(trades.since),
    milestones: found.tradeMilestones.map(({ threshold, name, icon, reached }) => ({
      threshold,
      name,
      icon,
      reached,
    })),
  };
  return {
    data,
    current_streak: days.kind === "winning" ? days.current : 0,
    longest_streak: days.longestWinning,
    total_trading_days: found.tradingDays,
    profitable_days: found.profitableDays,
    calendar: found.calendar.map(({ date, traded, profitable, net }) => ({
      date,
      traded,
      profitable,
      pnl: moneyOf(net),
    })),
    milestones: found.dayMilestones.map(({ days: count, rewardXp, reached }) => ({
      days: count,
      reward_xp: rewardXp,
      reached,
    })),
  };
}
