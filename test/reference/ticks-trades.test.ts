import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { resample } from "../../src/core/market/resample.js";
import { calendarOf, isOpen } from "../../src/core/market/session.js";
import { BAR_TERMS } from "../../src/core/ticks/bar-builder.js";
import { CONFIRMED, REFUTED } from "../../src/core/ticks/guard.js";
import { GUARD_TERMS } from "../../src/core/ticks/guard-terms.js";
import { TickIntake } from "../../src/core/ticks/intake.js";
import { allocateTicks, type Ticks } from "../../src/core/ticks/tick.js";
import { VERDICTS, type VerdictName } from "../../src/core/ticks/verdict.js";
import { sharedPath } from "../fixtures/shared.js";
import { candlesOf, partOf, plainBars, readClosed, type TickBar } from "../fixtures/tick-bars.js";
import { readTrades } from "../fixtures/tick-files.js";

const newYork = calendarOf("XNYS");
const SPY = "lean-SPY-trades-20131007-20131011.csv.gz";
const IBM = "lean-IBM-trades-20131007-20131011.csv.gz";

interface Run {
  readonly bars: readonly TickBar[];
  /** Places of the ticks that were accepted in the end, and of those refused as outliers. */
  readonly accepted: readonly number[];
  readonly outliers: readonly number[];
  readonly intake: TickIntake;
}

function runOf(ticks: Ticks, from = 0, to = ticks.time.length, intake = new TickIntake([newYork])): Run {
  const bars: TickBar[] = [];
  const accepted: number[] = [];
  const outliers: number[] = [];
  let held = -1;
  for (let i = from; i < to; i++) {
    const verdict = VERDICTS[intake.take(ticks, i)];
    if (intake.guard.settled === CONFIRMED) accepted.push(held);
    if (intake.guard.settled === REFUTED) outliers.push(held);
    if (verdict === "accepted") accepted.push(i);
    if (verdict === "held") held = i;
    readClosed(intake.builder.closed, bars);
  }
  return { bars, accepted, outliers, intake };
}

/** Places of prices more than 1 % away from the median of the hundred around them and themselves. */
function farFromMedian({ price }: Ticks): number[] {
  const found: number[] = [];
  for (let i = 50; i < price.length - 50; i++) {
    // Few are looked at closely: those near both ends of the hundred are near its median, too.
    if (isNear(price[i - 50], price[i], 0.005) && isNear(price[i + 50], price[i], 0.005)) continue;
    const [median] = price
      .slice(i - 50, i + 51)
      .sort()
      .subarray(50);
    if (!isNear(price[i], median, 0.01)) found.push(i);
  }
  return found;
}

const isNear = (price: number, other: number, share: number) => Math.abs(price / other - 1) <= share;

const END = Float64Array.of(Date.UTC(2013, 10, 1));

function isClose(value: number, other: number): boolean {
  return Object.is(value, other) || Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(other));
}

/** Bars of [from, to) and those of a map of lists over what was accepted of it: prices to the bit. */
function expectPlain(ticks: Ticks, from: number, to: number): void {
  const { bars, accepted, intake } = runOf(ticks, from, to);
  intake.closeUntil(0, END);
  const all = [...bars];
  readClosed(intake.builder.closed, all);
  for (const [level, interval] of (["5m", "30m"] as const).entries()) {
    const made = all.filter((bar) => bar.interval === level);
    const plain = plainBars(ticks, accepted, newYork, interval);
    expect(made.length).toBe(plain.length);
    const wrong = made.filter((bar, k) => {
      const { vwap, pressure, ...exact } = plain[k];
      const isExact = Object.entries(exact).every(([name, value]) => bar[name as keyof TickBar] === value);
      return !isExact || !isClose(bar.vwap, vwap) || !isClose(bar.pressure, pressure);
    });
    expect(wrong).toEqual([]);
  }
  const [five, thirty] = [0, 1].map((level) => all.filter((bar) => bar.interval === level));
  expect(candlesOf(thirty, "30m")).toEqual(resample(candlesOf(five, "5m"), "30m", newYork));
}

describe.skipIf(sharedPath("data", "ticks", SPY) === null)("a week of trades of SPY and IBM (LEAN)", () => {
  const spy = readTrades(SPY);
  const ibm = readTrades(IBM);

  it("make the bars of a map of lists", () => {
    expectPlain(ibm, 0, ibm.time.length);
    expectPlain(spy, 0, spy.time.length);
  });

  it("make bars whose sums are those of all 1.9 million ticks that were accepted", () => {
    const { bars, accepted, intake } = runOf(spy);
    intake.closeUntil(0, END);
    const all = [...bars];
    readClosed(intake.builder.closed, all);
    const volume = accepted.reduce((sum, i) => sum + spy.size[i], 0);
    for (const level of [0, 1]) {
      const made = all.filter((bar) => bar.interval === level);
      expect(made.reduce((sum, bar) => sum + bar.count, 0)).toBe(accepted.length);
      expect(made.reduce((sum, bar) => sum + bar.volume, 0)).toBe(volume);
      const regular = made.filter((bar) => isOpen(newYork, bar.time));
      expect(regular.length).toBe(level === 0 ? 5 * 78 : 5 * 13);
    }
  });

  it("lose to the guard those far from all around them, but for pairs that confirm each other", () => {
    for (const [name, ticks, far, refused] of [
      // The README of the data counts 37 prints of SPY more than 1 % away from the median around them.
      ["SPY", spy, 37, 31],
      ["IBM", ibm, 0, 0],
    ] as const) {
      const { outliers, accepted } = runOf(ticks);
      process.stdout.write(
        `${name}: ${outliers.length} of ${ticks.time.length} real trades refused as outliers\n`,
      );
      expect(accepted.length + outliers.length).toBe(ticks.time.length);
      expect(outliers.length).toBe(refused);
      const lonely = farFromMedian(ticks);
      expect(lonely.length).toBe(far);
      expect(outliers.filter((i) => !lonely.includes(i))).toEqual([]);
      const missed = lonely.filter((i) => !outliers.includes(i));
      // Each of them was printed twice at once.
      for (const i of missed) expect([ticks.price[i - 1], ticks.price[i + 1]]).toContain(ticks.price[i]);
    }
  });

  it("give the same to the bit in parts, saved and loaded between them", () => {
    const whole = runOf(ibm);
    const rng = createRng(41);
    const edges = [0, ...Array.from({ length: 30 }, () => rng.below(ibm.time.length)), ibm.time.length];
    edges.sort((a, b) => a - b);
    const bars: TickBar[] = [];
    let intake = new TickIntake([newYork]);
    edges.slice(1).forEach((edge, k) => {
      const part = partOf(ibm, edges[k], edge);
      bars.push(...runOf(part, 0, part.time.length, intake).bars);
      const next = new TickIntake([newYork]);
      for (const name of ["guard", "builder"] as const) {
        const state = new Float64Array(next[name].stateLength);
        intake[name].save(0, state);
        next[name].load(0, state);
      }
      intake = next;
    });
    expect(bars).toEqual(whole.bars);
    for (const code of VERDICTS.keys())
      expect(intake.guard.count(0, code)).toBe(whole.intake.guard.count(0, code));
  });
});

type Kind = Exclude<VerdictName, "accepted" | "held">;
const KINDS: readonly Kind[] = [
  "late",
  "duplicate",
  "not_finite",
  "price_not_positive",
  "size_negative",
  "size_too_large",
  "outside_session",
  "from_the_future",
  "outlier",
];

const LATE_MS = 900_000;

/** Real ticks of regular hours, received 50 ms after, and after one in a hundred of them a bad tick of a kind. */
function planted(real: Ticks, kind: Kind, seed: number): { ticks: Ticks; isBad: Uint8Array } {
  const rng = createRng(seed, KINDS.indexOf(kind));
  const hours = Array.from(real.time.keys()).filter((i) => isOpen(newYork, real.time[i]));
  // What is stamped before the open is late as well, but is told to be outside the hours.
  const couldBe = (i: number) => kind !== "late" || isOpen(newYork, real.time[i] - LATE_MS);
  const bad = new Set(hours.filter((i) => rng.below(100) === 0 && couldBe(i)));
  const ticks = allocateTicks(hours.length + bad.size);
  const isBad = new Uint8Array(ticks.time.length);
  let at = 0;
  const put = (i: number, isWrong: boolean) => {
    ticks.time[at] = real.time[i];
    ticks.price[at] = real.price[i];
    ticks.size[at] = real.size[i];
    ticks.id[at] = i;
    isBad[at] = isWrong ? 1 : 0;
    at++;
  };
  for (const [k, i] of hours.entries()) {
    put(i, false);
    if (!bad.has(i)) continue;
    put(i, true);
    ticks.id[at - 1] = 1e9 + i;
    if (kind === "duplicate") {
      const again = hours[k - rng.below(Math.min(200, k + 1))];
      // A trade of the bar that is open.
      const sent = real.time[again] >= real.time[i] - (real.time[i] % 300_000) ? again : i;
      ticks.id[at - 1] = sent;
      ticks.time[at - 1] = real.time[sent];
    }
    spoil(ticks, at - 1, kind, rng.next());
  }
  return { ticks, isBad };
}

function spoil(ticks: Ticks, i: number, kind: Kind, dice: number): void {
  const { time, price, size } = ticks;
  if (kind === "late") time[i] -= (LATE_MS * (1 + dice)) / 2;
  if (kind === "not_finite") [time, price, size][Math.floor(3 * dice)][i] = Number.NaN;
  if (kind === "price_not_positive") price[i] *= dice < 0.5 ? 0 : -1;
  if (kind === "size_negative") size[i] = -1 - size[i];
  if (kind === "size_too_large") size[i] = 1e16;
  if (kind === "outside_session") time[i] -= 10 * 3_600_000;
  if (kind === "from_the_future") time[i] += 3_000 + 1e9 * dice;
  if (kind === "outlier") price[i] *= dice < 0.5 ? 1.012 + dice : 0.988 - (dice - 0.5);
}

describe.skipIf(sharedPath("data", "ticks", IBM) === null)("bad ticks among trades of IBM", () => {
  const real = readTrades(IBM);

  it.each(KINDS)("%s: each is refused for that and no real one is", (kind) => {
    const { ticks, isBad } = planted(real, kind, 7);
    const clean = runOf(partsWithout(ticks, isBad)).bars;
    const intake = new TickIntake([newYork], BAR_TERMS, { ...GUARD_TERMS, regularOnly: true });
    const bars: TickBar[] = [];
    const wrong: string[] = [];
    let held = -1;
    const judge = (i: number, verdict: string) => {
      if (verdict !== (isBad[i] === 1 ? kind : "accepted")) wrong.push(`${i} ${ticks.price[i]}: ${verdict}`);
    };
    let received = 0;
    for (let i = 0; i < ticks.time.length; i++) {
      if (isBad[i] === 0) received = ticks.time[i] + 50;
      intake.guard.receivedAt(received);
      const verdict = VERDICTS[intake.take(ticks, i)];
      if (intake.guard.settled !== 0)
        judge(held, intake.guard.settled === CONFIRMED ? "accepted" : "outlier");
      if (verdict === "held") held = i;
      else judge(i, verdict);
      readClosed(intake.builder.closed, bars);
    }
    expect(isBad.filter((flag) => flag === 1).length).toBeGreaterThan(800);
    expect(wrong).toEqual([]);
    // All that is good, and nothing else, is in the bars.
    expect(bars).toEqual(clean);
  });
});

function partsWithout(ticks: Ticks, isBad: Uint8Array): Ticks {
  const kept = Array.from(ticks.time.keys()).filter((i) => isBad[i] === 0);
  const part = allocateTicks(kept.length);
  kept.forEach((i, k) => {
    part.time[k] = ticks.time[i];
    part.price[k] = ticks.price[i];
    part.size[k] = ticks.size[i];
  });
  return part;
}
