import { contextOf, type Knowledge } from "../../core/learning/features/knowledge.js";
import { newestTradeRow, type OwnTrade } from "../../core/learning/samples.js";
import type { CalendarId } from "../../core/market/calendar.js";
import type { Candles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";

/** A trade at the newest of some bars. */
export interface TradeOrder {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** In and out together, basis points. */
  readonly costBps: number;
  readonly knowledge: Knowledge;
  readonly trade: OwnTrade;
}

/** Its row, as models are shown it; null where there are too few bars. */
export default function rowOfTrade({ candles, calendar, costBps, knowledge, trade }: TradeOrder) {
  return newestTradeRow(candles, contextOf(calendarOf(calendar), knowledge), trade, { costBps });
}
