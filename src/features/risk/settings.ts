import { z } from "zod";
import type { RiskLimits } from "../../core/risk/limits.js";
import type { Settings } from "../../platform/settings.js";

/** Risk settings of a user as clients know them; percentages are numbers from 0 to 100. */
export const riskSettingsSchema = z
  .strictObject({
    max_position_size: z
      .number()
      .min(0.1)
      .max(100_000)
      .describe("Money in one position; below 100 a percentage of the equity"),
    max_daily_loss: z.number().min(50).max(5_000).describe("Money"),
    stop_loss_percentage: z
      .number()
      .min(0.5)
      .max(10)
      .describe("Of the entry: stop of a position that has none, and of an order by enable_auto_stop_loss"),
    take_profit_percentage: z
      .number()
      .min(1)
      .max(20)
      .describe("Of the entry: target of a position that has none"),
    max_open_positions: z.number().int().min(1).max(20),
    risk_per_trade: z.number().min(0.1).max(5).describe("Percentage of the equity"),
    max_portfolio_risk: z.number().min(0.1).max(100).describe("Percentage of the equity, over all positions"),
    max_daily_trades: z.number().int().min(1).max(1_000_000),
    max_drawdown_limit: z
      .number()
      .min(0.5)
      .max(100)
      .describe("Percentage below the highest of the ends of earlier days and of what was seen in this day"),
    diversification_limit: z.number().int().min(1).max(1_000_000).describe("Open entries into one symbol"),
    enable_stop_loss: z.boolean().describe("An order needs a stop"),
    enable_take_profit: z.boolean().describe("An order needs a target"),
    enable_position_sizing: z.boolean().describe("Sizes are held against risk_per_trade"),
    enable_auto_stop_loss: z
      .boolean()
      .describe("A pre-trade check places the stop of an order without one at stop_loss_percentage"),
    require_confirmation: z
      .boolean()
      .describe("Trades need the token of a pre-trade check; enforced by whoever takes orders"),
    confidence_threshold: z
      .number()
      .min(0.05)
      .max(0.95)
      .nullable()
      .describe(
        "Least measured hit rate of the pattern behind a trade; null demands none. Where nothing is measured, it is not met",
      ),
    correlation_threshold: z
      .number()
      .min(0)
      .max(1)
      .describe("Stored and given back: no check reads it, for correlations of positions are not measured"),
    risk_free_rate: z
      .number()
      .min(-5)
      .max(50)
      .describe("Percent a year, what returns of paper accounts are measured against; no check reads it"),
  })
  .meta({ id: "RiskSettings" });
export type RiskSettings = z.output<typeof riskSettingsSchema>;

/** What holds until a user says otherwise. */
export const DEFAULT_RISK_SETTINGS: RiskSettings = Object.freeze({
  max_position_size: 10_000,
  max_daily_loss: 500,
  stop_loss_percentage: 2,
  take_profit_percentage: 5,
  max_open_positions: 5,
  risk_per_trade: 1,
  max_portfolio_risk: 6,
  max_daily_trades: 20,
  max_drawdown_limit: 20,
  diversification_limit: 3,
  enable_stop_loss: true,
  enable_take_profit: true,
  enable_position_sizing: true,
  enable_auto_stop_loss: false,
  require_confirmation: false,
  confidence_threshold: null,
  correlation_threshold: 0.7,
  risk_free_rate: 4,
});

/** Some of the settings; undefined says nothing. */
export type RiskSettingsChange = { readonly [Name in keyof RiskSettings]?: RiskSettings[Name] | undefined };

/** Settings by user. A field that a stored row lacks has its default. */
export interface RiskSettingsStore {
  load(userId: string): Promise<RiskSettings>;
  /** The name under which those of a user are kept, and the same from what is kept there, for who reads it with other rows. */
  nameOf(userId: string): string;
  from(kept: unknown): RiskSettings;
  /** Fields left out stay as they are. */
  change(userId: string, change: RiskSettingsChange): Promise<RiskSettings>;
}

/** @param configured what the operator sets in place of a default. */
export function createRiskSettings(
  settings: Settings,
  configured: RiskSettingsChange = {},
): RiskSettingsStore {
  const nameOf = (userId: string) => `risk.${userId}`;
  const stored = riskSettingsSchema.partial();
  const complete = (known: RiskSettingsChange | null): RiskSettings =>
    riskSettingsSchema.parse(changed(changed(DEFAULT_RISK_SETTINGS, configured), known ?? {}));
  return {
    load: async (userId) => complete(await settings.load(nameOf(userId), stored)),
    nameOf,
    from: (kept) => complete(stored.safeParse(kept).data ?? null),
    change: async (userId, change) =>
      complete(await settings.update(nameOf(userId), stored, {}, (known) => changed(known, change))),
  };
}

/** What was, with what the change names. */
function changed(known: RiskSettingsChange, change: RiskSettingsChange): RiskSettingsChange {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...known, ...Object.fromEntries(named) };
}

export function limitsOf(settings: RiskSettings): RiskLimits {
  return {
    maxPositionSize: settings.max_position_size,
    maxDailyLoss: settings.max_daily_loss,
    riskPerTrade: settings.risk_per_trade,
    maxPortfolioRisk: settings.max_portfolio_risk,
    maxDrawdown: settings.max_drawdown_limit,
    maxOpenPositions: settings.max_open_positions,
    maxDailyTrades: settings.max_daily_trades,
    diversification: settings.diversification_limit,
    needsStop: settings.enable_stop_loss,
    needsTarget: settings.enable_take_profit,
    checksSize: settings.enable_position_sizing,
    confidence: settings.confidence_threshold,
  };
}

/** The limits, and where stop and target of a position are that has none, in percent of its entry. */
export function tradeLimitsOf(settings: RiskSettings) {
  const { stop_loss_percentage: stopPercent, take_profit_percentage: targetPercent } = settings;
  return { limits: limitsOf(settings), stopPercent, targetPercent };
}
