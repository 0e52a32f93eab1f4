import { barClose } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { volatilityRank } from "../../core/options/iv-rank.js";
import type { FactName, Facts } from "../../core/strategies/facts.js";
import type { Database } from "../../platform/database.js";
import type { KnownInstrument } from "../instruments/store.js";
import { RANK_MINIMUM, RANK_WINDOW } from "./options.js";
import { type AsOfRow, createOptionStore, type OptionStore } from "./store.js";

/** A chain older than this at the close of a bar says nothing of it: a weekend with a holiday is shorter. */
export const CHAIN_FACTS_MS = 4 * 86_400_000;

/** What stored chains said of an underlying at the closes of bars. */
export interface ChainFacts {
  /**
   * Of the newest snapshot that was taken by the close of each bar and is not too old, whoever gave it.
   * @param times opens of the bars, ascending.
   */
  load(instrument: KnownInstrument, interval: Interval, times: Float64Array): Promise<Facts>;
}

export function createChainFacts({ database }: { readonly database: Database }): ChainFacts {
  const store = createOptionStore(database);
  return {
    async load({ id, calendar: calendarId }, interval, times) {
      const calendar = calendarOf(calendarId);
      const closes = times.map((open) => barClose(calendar, interval, open));
      const rows = await store.loadAsOf(id, closes, CHAIN_FACTS_MS);
      const facts = FIGURES.map(([name, figure]) => {
        const column = new Float64Array(times.length).fill(Number.NaN);
        for (const row of rows) column[row.bar] = figure(row) ?? Number.NaN;
        return [name, column] as const;
      });
      return { ...Object.fromEntries(facts), iv_rank: await ranksOf(store, id, rows, times.length) };
    },
  };
}

function over(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || !(whole > 0) ? null : part / whole;
}

/** In parts of what there was before. */
function changeOver(change: number | null, now: number | null): number | null {
  return change === null || now === null ? null : over(change, now - change);
}

const FIGURES: readonly (readonly [FactName, (row: AsOfRow) => number | null])[] = [
  ["put_call_ratio", (row) => over(row.allPuts, row.allCalls)],
  ["call_change", (row) => changeOver(row.callChange, row.callOpenInterest)],
  ["put_change", (row) => changeOver(row.putChange, row.putOpenInterest)],
  ["max_pain", (row) => over(row.maxPain, row.spot)],
  ["support", (row) => over(row.support, row.spot)],
  ["resistance", (row) => over(row.resistance, row.spot)],
];

/** Each bar's volatility among the last of each of the sessions before its own. */
async function ranksOf(
  store: OptionStore,
  instrumentId: number,
  rows: readonly AsOfRow[],
  length: number,
): Promise<Float64Array> {
  const ranks = new Float64Array(length).fill(Number.NaN);
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return ranks;
  const most = RANK_WINDOW + last.session - first.session;
  const daily = await store.loadSessionVolatility(instrumentId, last.session, most);
  const volatility = Float64Array.from(daily, (each) => each.volatility);
  let before = 0;
  for (const { bar, session, thirtyDay } of rows) {
    while (before < daily.length && daily[before].session < session) before++;
    const history = volatility.subarray(Math.max(0, before - RANK_WINDOW), before);
    ranks[bar] = volatilityRank(history, thirtyDay ?? Number.NaN, RANK_MINIMUM).rank.value ?? Number.NaN;
  }
  return ranks;
}
