import type { CorporateAction } from "../../core/market/actions.js";
import { startOfDay } from "../../core/market/adjust.js";
import { dateOf } from "../../core/market/day.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import { levelSteps } from "../../core/quality/scale.js";
import { isNearer, type Split, splitJumps, splitShows, suspectSplits } from "../../core/quality/splits.js";
import { isoTime } from "../../platform/http.js";
import type { CandleSet } from "./candles.js";

/** What is peculiar about bars, in one text; null for nothing. */
export function joinNotes(...notes: readonly (string | null)[]): string | null {
  const said = notes.filter((note) => note !== null && note !== "");
  return said.length === 0 ? null : said.join("; ");
}

function splitsOf(actions: readonly CorporateAction[]): Split[] {
  return actions.filter((action) => action.kind === "split");
}

function named({ exDay, ratio }: Split): string {
  return `${dateOf(exDay)} by ${Number(ratio.toPrecision(6))}`;
}

/** Which known splits are not in prices that are given as they traded; null for none within the bars. */
export function unadjustedNote(
  { instrument, candles, adjustedAt }: CandleSet,
  actions: readonly CorporateAction[],
): string | null {
  const { time } = candles;
  const calendar = calendarOf(instrument.calendar);
  const missing = splitsOf(actions).filter((split) => {
    const exMs = startOfDay(calendar, split.exDay);
    const last = time.findLastIndex((open) => open < exMs);
    if (last < 0 || last === time.length - 1) return false;
    const traded = adjustedAt === null || Number.isNaN(adjustedAt[last]);
    return traded && (candles.interval !== "1d" || splitShows(candles, split) !== false);
  });
  if (missing.length === 0) return null;
  return `prices are as given, and those before a split are not adjusted for it: ${missing.map(named).join(", ")}`;
}

/** Where prices jump as sound ones do not. */
export function stepNotes(set: CandleSet, actions: readonly CorporateAction[]): (string | null)[] {
  return [lackingNote(set, actions), scaleNote(set, actions)];
}

/**
 * Where prices said to be adjusted jump by a known split, as if those before lacked it, and where those said to be as they
 * traded do not tell whether they have one; null for nowhere.
 */
function lackingNote({ candles, adjustedAt }: CandleSet, actions: readonly CorporateAction[]): string | null {
  const splits = splitsOf(actions);
  if (candles.interval !== "1d" || splits.length === 0) return null;
  const adjusted = adjustedAt?.every(Number.isFinite) ?? false;
  const traded = adjustedAt?.every(Number.isNaN) ?? true;
  if (!adjusted && !traded) return null;
  const suspicions = suspectSplits(candles, splits, adjusted ? "split" : "none");
  const texts = suspicions.flatMap(({ index, split, likely }) => {
    if (split === null) return [];
    // What is left of a jump once a split is mended is less.
    const half = isNearer(candles.close[index - 1] / candles.open[index], split.ratio);
    if (adjusted && !likely && !half) return [];
    const verb = likely ? "seem to lack" : "may lack";
    const lacking = `prices before ${dateOfBar(candles.time[index])} ${verb} the split of ${named(split)}`;
    return [adjusted ? lacking : `prices do not tell whether they have the split of ${named(split)}`];
  });
  return joinNotes(...new Set(texts));
}

/** Where prices go to another scale and stay there, though no split is known; null for nowhere. */
function scaleNote({ instrument, candles }: CandleSet, actions: readonly CorporateAction[]): string | null {
  const splits = splitsOf(actions);
  const first = candles.time.length === 0 ? 0 : tradingDay(calendarOf(instrument.calendar), candles.time[0]);
  const jumps = splitJumps(
    candles,
    splits.filter(({ exDay }) => exDay >= first),
  );
  const { time, close } = candles;
  const texts = levelSteps(candles, (i) => jumps.has(i)).map(
    (i) =>
      `prices go from ${close[i - 1]} to ${close[i]} on ${dateOfBar(time[i])}, and no split is known that says why`,
  );
  return joinNotes(...texts);
}

function dateOfBar(time: number): string {
  return isoTime(time).slice(0, 10);
}
