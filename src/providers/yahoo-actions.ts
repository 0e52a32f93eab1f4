import type { CorporateAction } from "../core/market/actions.js";
import type { Instrument } from "../core/market/instrument.js";
import { calendarOf, tradingDay } from "../core/market/session.js";
import type { HttpRequest } from "../platform/http-client.js";
import { ProviderError } from "./define.js";
import { type ChartResult, chartRequest } from "./yahoo-chart.js";

type Split = Extract<CorporateAction, { kind: "split" }>;

/** The request for the events since a moment: up to now, for later splits have changed what dividends it tells. */
export function eventsRequest(
  baseUrl: string,
  instrument: Instrument,
  fromMs: number,
  nowMs: number,
): HttpRequest {
  const request = chartRequest(baseUrl, { instrument, interval: "1d", fromMs, toMs: nowMs });
  const url = new URL(request.url);
  url.searchParams.set("events", "div,split");
  return { ...request, url: url.href };
}

/**
 * Splits and dividends with ex-days in [fromDay, toDay), ascending. The service counts dividends in the shares of
 * now; the amounts here are those of their day, from all splits up to now.
 * @param chart of a request that reaches from the first day until now.
 * @throws {ProviderError} `bad_payload` for a split or dividend of nothing.
 */
export function actionsOf(
  chart: ChartResult,
  instrument: Instrument,
  fromDay: number,
  toDay: number,
): CorporateAction[] {
  const calendar = calendarOf(instrument.calendar);
  const dayOf = (seconds: number) => tradingDay(calendar, seconds * 1_000);
  const splits = Object.values(chart.events?.splits ?? {}).map(
    ({ date, numerator, denominator }): Split => ({
      kind: "split",
      exDay: dayOf(date),
      ratio: requireAmount(numerator / denominator, "split"),
    }),
  );
  const currency = chart.meta.currency ?? instrument.currency;
  const dividends = Object.values(chart.events?.dividends ?? {}).map(({ date, amount }): CorporateAction => {
    const exDay = dayOf(date);
    const later = splits.filter((split) => split.exDay > exDay);
    const shares = later.reduce((product, { ratio }) => product * ratio, 1);
    // Ten digits: the product has no more.
    const then = Number((requireAmount(amount, "dividend") * shares).toPrecision(10));
    return { kind: "dividend", exDay, amount: then, currency };
  });
  return [...splits, ...dividends]
    .filter(({ exDay }) => exDay >= fromDay && exDay < toDay)
    .sort((a, b) => a.exDay - b.exDay);
}

function requireAmount(amount: number, what: string): number {
  if (amount > 0 && Number.isFinite(amount)) return amount;
  throw new ProviderError("bad_payload", `a ${what} of nothing`);
}
