/** Statements of roll-ups, whose columns are many. */

export const SAVE_DAYS = `
insert into daily_performance (account_id, date, trades, wins, losses, break_evens, win_rate_pct, gross, brokerage, taxes, carry,
  net, profit_factor, no_losses, average_net, average_win, average_loss, average_hold_minutes, max_drawdown, max_drawdown_pct,
  drawdown_reason, sharpe, sharpe_reason, computed_at)
select $1::uuid, t.date, t.trades, t.wins, t.losses, t."breakEvens", t."winRatePct", t.gross, t.brokerage, t.taxes, t.carry,
  t.net, t."profitFactor", t."noLosses", t."averageNet", t."averageWin", t."averageLoss", t."averageHoldMinutes",
  t."maxDrawdown", t."maxDrawdownPct", t."drawdownReason", t.sharpe, t."sharpeReason", now()
from jsonb_to_recordset($2::jsonb) as t(date date, trades int, wins int, losses int, "breakEvens" int, "winRatePct" numeric,
  gross numeric, brokerage numeric, taxes numeric, carry numeric, net numeric, "profitFactor" numeric, "noLosses" boolean,
  "averageNet" numeric, "averageWin" numeric, "averageLoss" numeric, "averageHoldMinutes" numeric, "maxDrawdown" numeric,
  "maxDrawdownPct" numeric, "drawdownReason" text, sharpe numeric, "sharpeReason" text)`;

export const SAVE_STRATEGIES = `
insert into strategy_performance (account_id, date, strategy, signals_generated, trades_taken, wins, win_rate_pct, total_net,
  average_net, average_strength, computed_at)
select $1::uuid, t.date, t.strategy, coalesce(t."signalsGenerated", 0), t."tradesTaken", t.wins, t."winRatePct", t."totalNet",
  t."averageNet", t."averageStrength", now()
from jsonb_to_recordset($2::jsonb) as t(date date, strategy text, "signalsGenerated" int, "tradesTaken" int, wins int,
  "winRatePct" numeric, "totalNet" numeric, "averageNet" numeric, "averageStrength" numeric)`;

const COMPUTED_AT = `(extract(epoch from computed_at) * 1000)::float8 as "computedAt"`;

export const DAILY_FIELDS = `to_char(date, 'YYYY-MM-DD') as date, trades, wins, losses, break_evens as "breakEvens",
  win_rate_pct as "winRatePct", gross, brokerage, taxes, carry, net, profit_factor as "profitFactor",
  no_losses as "noLosses", average_net as "averageNet", average_win as "averageWin", average_loss as "averageLoss",
  average_hold_minutes as "averageHoldMinutes", max_drawdown as "maxDrawdown", max_drawdown_pct as "maxDrawdownPct",
  drawdown_reason as "drawdownReason", sharpe, sharpe_reason as "sharpeReason", ${COMPUTED_AT}`;

export const STRATEGY_FIELDS = `to_char(date, 'YYYY-MM-DD') as date, strategy, signals_generated as "signalsGenerated",
  trades_taken as "tradesTaken", wins, win_rate_pct as "winRatePct", total_net as "totalNet",
  average_net as "averageNet", average_strength as "averageStrength", ${COMPUTED_AT}`;
