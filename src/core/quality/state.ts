import type { Band } from "./band.js";
import { Findings } from "./bars.js";
import type { Issue, Severity } from "./issue.js";

/** Legs of a chain, counted. */
export interface ChainState {
  readonly calls: number;
  readonly puts: number;
  /** Open interest over all legs; null where it is not known. */
  readonly callOpenInterest: number | null;
  readonly putOpenInterest: number | null;
  /** Legs with an open interest below 0. */
  readonly negative: number;
  /** Strikes before and after filtering; null where nothing was filtered. */
  readonly originalStrikes: number | null;
  readonly filteredStrikes: number | null;
}

/** What is known of a market at a moment; null for what is not. */
export interface MarketState {
  readonly symbol: string;
  readonly price: number | null;
  /** When that was so, epoch ms. */
  readonly time: number | null;
  readonly bid: number | null;
  readonly ask: number | null;
  readonly chain: ChainState | null;
  /** Whether a chain belongs to it, so that a missing one is worth telling. */
  readonly expectsChain: boolean;
}

const STALE_WARNING_MS = 300_000;
const STALE_CRITICAL_MS = 600_000;
const CLOCK_TOLERANCE_MS = 120_000;
const REMOVED_WARNING = 0.7;
const REMOVED_CRITICAL = 0.9;

/** @param band of the underlying; null where none could be learned. @param live false while its exchange is closed. */
export function checkState(state: MarketState, nowMs: number, band: Band | null, live = true): Issue[] {
  const { symbol, time } = state;
  const findings = new Findings(symbol);
  const at = time ?? Number.NaN;
  checkTime(findings, time, nowMs, live);
  checkPrice(findings, state, at, band);
  if (state.chain !== null) checkChain(findings, state.chain, at);
  else if (state.expectsChain) missing(findings, "warning", at, "option chain");
  return findings.list();
}

function missing(findings: Findings, severity: Severity, at: number, field: string): void {
  findings.add("field_missing", severity, at, () => field, 1, field);
}

function checkTime(findings: Findings, time: number | null, nowMs: number, live: boolean): void {
  if (time === null) {
    missing(findings, "critical", Number.NaN, "timestamp");
    return;
  }
  if (!Number.isFinite(time)) {
    findings.add("time_invalid", "critical", time, () => String(time));
    return;
  }
  const age = nowMs - time;
  if (age < -CLOCK_TOLERANCE_MS)
    findings.add("future", "critical", time, () => `${Math.round(-age / 1_000)} s ahead`);
  if (!live || age <= STALE_WARNING_MS) return;
  const severity = age > STALE_CRITICAL_MS ? "critical" : "warning";
  findings.add("stale", severity, time, () => `${Math.round(age / 1_000)} s old`);
}

function checkPrice(findings: Findings, state: MarketState, at: number, band: Band | null): void {
  const { price, bid, ask } = state;
  if (price === null) missing(findings, "critical", at, "price");
  else if (!Number.isFinite(price)) findings.add("price_not_finite", "critical", at, () => String(price));
  else if (price <= 0) findings.add("price_not_positive", "critical", at, () => String(price));
  else if (band !== null && (price < band.low || price > band.high)) {
    const slip = [100, 0.01].some((factor) => price * factor >= band.low && price * factor <= band.high);
    const text = () => `${price} is outside ${band.low.toPrecision(6)}..${band.high.toPrecision(6)}`;
    const severity = slip || isFar(price, band) ? "critical" : "warning";
    findings.add(slip ? "scale_slip" : "out_of_band", severity, at, text);
  }
  if (bid !== null && ask !== null && bid > ask) {
    findings.add("quote_crossed", "critical", at, () => `bid ${bid} above ask ${ask}`);
  }
}

/** Whether a price is further from the middle of a band than twice the band reaches. */
function isFar(price: number, { low, high }: Band): boolean {
  const reach = Math.sqrt(high / low);
  return price < low / reach || price > high * reach;
}

function checkChain(findings: Findings, chain: ChainState, at: number): void {
  const { calls, puts, negative, originalStrikes, filteredStrikes } = chain;
  if (negative > 0)
    findings.add("open_interest_negative", "critical", at, () => `${negative} legs`, negative);
  if (chain.callOpenInterest === null) missing(findings, "warning", at, "open interest of calls");
  if (chain.putOpenInterest === null) missing(findings, "warning", at, "open interest of puts");
  if (calls !== puts) findings.add("strikes_unbalanced", "info", at, () => `${calls} calls and ${puts} puts`);
  if (originalStrikes === null || filteredStrikes === null || originalStrikes === 0) {
    if (calls + puts === 0) findings.add("no_strikes", "critical", at, () => "the chain is empty");
    return;
  }
  if (filteredStrikes === 0) {
    findings.add("no_strikes", "critical", at, () => `none of ${originalStrikes} strikes passed the filter`);
    return;
  }
  const removed = 1 - filteredStrikes / originalStrikes;
  if (removed <= REMOVED_WARNING) return;
  const severity = removed > REMOVED_CRITICAL ? "critical" : "warning";
  findings.add(
    "strikes_removed",
    severity,
    at,
    () => `${originalStrikes - filteredStrikes} of ${originalStrikes} strikes`,
  );
}
