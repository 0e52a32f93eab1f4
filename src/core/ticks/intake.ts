import type { Calendar } from "../market/session.js";
import { BAR_TERMS, BarBuilder, type BarTerms, NOT_TAKEN } from "./bar-builder.js";
import { CONFIRMED, NONE_HELD, TickGuard } from "./guard.js";
import { GUARD_TERMS, type GuardTerms } from "./guard-terms.js";
import { takePlain } from "./plain-ticks.js";
import type { Ticks } from "./tick.js";
import { ACCEPTED, LATE } from "./verdict.js";

/** Ticks of many symbols through the guard into bars. A tick that was held goes before the one that confirms it. */
export class TickIntake {
  declare readonly guard: TickGuard;
  declare readonly builder: BarBuilder;

  /** @param calendars one for each symbol. */
  constructor(calendars: readonly Calendar[], bars: BarTerms = BAR_TERMS, terms: GuardTerms = GUARD_TERMS) {
    this.builder = new BarBuilder(calendars, bars);
    this.guard = new TickGuard(calendars, this.builder.closedUntil, terms, this.builder.rows);
  }

  /** Gives a symbol that had no tick yet another calendar. */
  list(symbol: number, calendar: Calendar): void {
    this.builder.list(symbol, calendar);
    this.guard.list(symbol, calendar);
  }

  /**
   * Takes ticks from `from` on while they are plain: accepted, settling nothing and closing no bar.
   * @returns the place of the first that is not, which is for `takeOdd`; or `to`.
   */
  takePlain(ticks: Ticks, from: number, to: number): number {
    const { guard, builder } = this;
    return guard.isPunctual ? from : takePlain(ticks, from, to, builder.rows, guard.limits, guard.ids);
  }

  /**
   * The verdict on tick `i`. It closes at most two bars of each interval, its own and one of a tick that was held;
   * they are to be read before `closed` of the builder is full.
   */
  take(ticks: Ticks, i: number): number {
    if (this.takePlain(ticks, i, i + 1) === i) return this.takeOdd(ticks, i);
    this.guard.settled = NONE_HELD;
    return ACCEPTED;
  }

  /** `take` of a tick that `takePlain` has not taken. */
  takeOdd(ticks: Ticks, i: number): number {
    const { guard, builder } = this;
    const s = ticks.symbol[i];
    const until = builder.closedUntil[s];
    let verdict = guard.judge(ticks, i);
    if (guard.settled === CONFIRMED) builder.add(guard.held, s);
    if (verdict === ACCEPTED) {
      if (builder.add(ticks, i) === NOT_TAKEN) {
        // The one that was held is of a later bar, and closed that of this one.
        guard.retract(s);
        verdict = LATE;
      } else guard.arrive(ticks, i);
    }
    if (verdict === LATE) builder.hear(ticks, i);
    if (builder.closedUntil[s] > until) guard.forgetIds(s);
    return verdict;
  }

  /**
   * Closes the bars of a symbol that end at or before an instant, and refuses a held tick of theirs.
   * @param clock the instant in its first place, epoch ms.
   */
  closeUntil(symbol: number, clock: Float64Array): number {
    const closed = this.builder.closeUntil(symbol, clock);
    this.guard.expire(symbol);
    if (closed > 0) this.guard.forgetIds(symbol);
    return closed;
  }
}
