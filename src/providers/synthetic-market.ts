import { createRng, hash32, type Rng } from "../core/base/rng.js";
import { allocateBars, type Bars } from "../core/market/candles.js";
import type { Instrument } from "../core/market/instrument.js";
import { type Calendar, lastOpened } from "../core/market/session.js";
import { REGIME_NAMES, REGIMES, type Regime, type Traits, traitsOf } from "./synthetic-traits.js";

/**
 * A market made of dice. The state of each session (regime, heat, open, close) follows from the one before it; the
 * minutes of a session are a random bridge between its open and close. Every number follows from (seed, symbol,
 * session), so any part can be made again at any time, alone, identically.
 *
 * After the stylised facts of Cont (Quantitative Finance 1, 2001): returns without memory but volatility with a
 * long one, fat tails at every scale, falls that raise volatility, volume that goes with it, busy and quiet hours,
 * and instruments that move together.
 */
export interface SyntheticMarket {
  /** Index of the first and one past the last session there is at a moment. */
  readonly firstSession: number;
  sessionsOpenedBy(timeMs: number): number;
  regimeOf(session: number): Regime;
  /** Bars of one minute, one for each minute of the session. */
  minutesOf(session: number): Bars;
  /** Prices are whole steps. */
  readonly stepsPerUnit: number;
}

/** First moment of the market. */
const BEGINNING_MS = Date.UTC(2015, 0, 1);
/** Slow return to the starting price, so that decades of dice do not end at nothing or at infinity. */
const HOMING = 0.0006;
const MINUTE_MS = 60_000;
/** Sessions whose states are made at a time. */
const BLOCK = 32;

/** Heat is the slow part of the log volatility: how much of it is left after a session, and its deviations. */
const HEAT_MEMORY = 0.99;
const MARKET_HEAT = 0.27;
const OWN_HEAT = 0.2;
const DAILY_HEAT = 0.16;
/** Keeps the mean of the variance where it would be without heat: half the variance of twice the log. */
const HEAT_MEAN = MARKET_HEAT ** 2 + OWN_HEAT ** 2 + DAILY_HEAT ** 2;
/** The same within a session, by the minute. */
const MINUTE_MEMORY = 0.97;
const MINUTE_HEAT = 0.45;
/** One minute in so many has a shock so many times as large. */
const SHOCK_CHANCE = 0.03;
const SHOCK_SIZE = 3;
const SHOCK_MEAN = Math.sqrt(1 + SHOCK_CHANCE * (SHOCK_SIZE ** 2 - 1));
/** Daily volatilities of a jump, and the share of it that is left to come after each minute. */
const JUMP_SIZE = 2;
const JUMP_LEFT = 0.6;

interface SessionState {
  readonly regime: Regime;
  readonly open: number;
  readonly close: number;
  /** Standard deviation of the log return from open to close. */
  readonly volatility: number;
  /** Log size and place (0..1) of a jump within the session; size 0 for none. */
  readonly jump: number;
  readonly jumpAt: number;
  readonly marketHeat: number;
  readonly ownHeat: number;
  readonly marketShock: number;
}

export function createSyntheticMarket(
  instrument: Instrument,
  calendar: Calendar,
  seed: number,
): SyntheticMarket {
  const stream = hash32(instrument.symbol);
  const marketStream = hash32(`market of ${calendar.id}`);
  const traits = traitsOf(instrument, createRng(seed, stream));
  const firstSession = Math.max(0, lastOpened(calendar, BEGINNING_MS) + 1);
  const profiles = new Map<number, Float64Array>();
  const anchor = Math.log(traits.startPrice);

  function nextState(session: number, before: SessionState | undefined): SessionState {
    const rng = createRng(seed, stream, session + 1);
    const market = createRng(seed, marketStream, session + 1);
    const stays = before !== undefined && rng.next() >= 1 / REGIMES[before.regime].length;
    const regime = stays ? before.regime : REGIME_NAMES[rng.below(REGIME_NAMES.length)];
    const { drift, volatility: factor, pull } = REGIMES[regime];

    const fear = -traits.leverage * (before?.marketShock ?? 0);
    const news = () => fear + Math.sqrt(1 - traits.leverage ** 2) * market.normal();
    const marketHeat = nextHeat(before?.marketHeat ?? 0, MARKET_HEAT, news());
    const ownHeat = nextHeat(before?.ownHeat ?? 0, OWN_HEAT, rng.normal());
    const heat = marketHeat + ownHeat + DAILY_HEAT * news() - HEAT_MEAN;
    const volatility = traits.volatility * factor * Math.exp(heat);

    const marketShock = market.normal();
    const mixed = (common: number, own: number) =>
      Math.sqrt(traits.commonShare) * common + Math.sqrt(1 - traits.commonShare) * own;
    const paused = session > firstSession && calendar.open[session] > calendar.close[session - 1];
    const gapShare = paused ? traits.gapShare : 0;
    const jump = rng.next() < traits.jumpChance ? volatility * JUMP_SIZE * rng.normal() : 0;
    const jumpsInPause = paused && rng.next() < 0.5;

    const from = before?.close ?? anchor;
    const gap = volatility * Math.sqrt(gapShare) * mixed(market.normal(), rng.normal());
    const open = from + gap + (jumpsInPause ? jump : 0);
    const within = volatility * Math.sqrt(1 - gapShare);
    const home = (pull + HOMING) * (anchor - from);
    const move = drift * volatility + home + within * mixed(marketShock, rng.normal());
    return {
      regime,
      open,
      close: open + move + (jumpsInPause ? 0 : jump),
      volatility: within,
      jump: jumpsInPause ? 0 : jump,
      jumpAt: rng.next(),
      marketHeat,
      ownHeat,
      marketShock,
    };
  }

  const stateOf = inBlocks(firstSession, nextState);

  /** Activity of each minute of a session of so many, mean 1. */
  function profileOf(minutes: number): Float64Array {
    const known = profiles.get(minutes);
    if (known !== undefined) return known;
    const raw = Float64Array.from({ length: minutes }, (_, i) => traits.activity((i + 0.5) / minutes));
    const mean = raw.reduce((sum, value) => sum + value, 0) / minutes;
    const profile = raw.map((value) => value / mean);
    profiles.set(minutes, profile);
    return profile;
  }

  return {
    firstSession,
    sessionsOpenedBy: (timeMs) => lastOpened(calendar, timeMs) + 1,
    regimeOf: (session) => stateOf(session).regime,
    stepsPerUnit: traits.stepsPerUnit,
    minutesOf(session) {
      const from = calendar.open[session];
      const profile = profileOf(Math.round((calendar.close[session] - from) / MINUTE_MS));
      const rng = createRng(seed ^ 0x5bd1e995, stream, session + 1);
      return drawMinutes(stateOf(session), traits, profile, rng, from);
    },
  };
}

/**
 * The states of sessions, each of which follows from the one before. A decade of them is a megabyte: what is kept are those
 * that begin a block, and all of the block that was asked for last.
 */
function inBlocks(
  firstSession: number,
  nextState: (session: number, before: SessionState | undefined) => SessionState,
): (session: number) => SessionState {
  const beginnings: SessionState[] = [];
  let block: SessionState[] = [];
  let blockAt = -1;

  function blockFrom(at: number, first: SessionState): SessionState[] {
    const states = [first];
    for (let k = 1; k < BLOCK; k++) states.push(nextState(firstSession + BLOCK * at + k, states[k - 1]));
    return states;
  }

  return (session) => {
    const wanted = Math.floor((session - firstSession) / BLOCK);
    for (let at = beginnings.length - 1; at < wanted; at++) {
      // The last session of a block tells the first of the next one.
      const last = at < 0 ? undefined : blockFrom(at, beginnings[at]).at(-1);
      beginnings.push(nextState(firstSession + BLOCK * (at + 1), last));
    }
    if (blockAt !== wanted) {
      block = blockFrom(wanted, beginnings[wanted]);
      blockAt = wanted;
    }
    return block[session - firstSession - BLOCK * wanted];
  };
}

/**
 * The price `share` of the way through a bar that goes from its open to its nearer end, to the other and to its close:
 * a third of the time each, on a whole step.
 */
export function priceWithin(
  { open, high, low, close }: Bars,
  i: number,
  share: number,
  stepsPerUnit: number,
): number {
  const rises = close[i] >= open[i];
  const path = [open[i], rises ? low[i] : high[i], rises ? high[i] : low[i], close[i]];
  const leg = Math.min(2, Math.floor(3 * share));
  const price = path[leg] + (path[leg + 1] - path[leg]) * (3 * share - leg);
  return Math.round(price * stepsPerUnit) / stepsPerUnit;
}

/** Heat of the next session: what is left of it, and news of deviation 1 scaled so that its own stays the given one. */
function nextHeat(heat: number, deviation: number, news: number): number {
  return HEAT_MEMORY * heat + deviation * Math.sqrt(1 - HEAT_MEMORY ** 2) * news;
}

function drawMinutes(
  state: SessionState,
  { minuteVolume, stepsPerUnit }: Traits,
  profile: Float64Array,
  rng: Rng,
  from: number,
): Bars {
  const minutes = profile.length;
  const bars = allocateBars(minutes);
  const { path, deviation } = drawPath(state, profile, rng);
  const typical = state.volatility / Math.sqrt(minutes);
  const volume = minuteVolume * REGIMES[state.regime].volume;
  for (let i = 0; i < minutes; i++) {
    const spread = deviation[i];
    // The first trade of a minute is not at the price of the last one before it.
    const move = path[i] - path[i + 1] + 0.4 * spread * (rng.next() - 0.5);
    const above = Math.max(0, move) + spread * rng.next() ** 2;
    const below = Math.min(0, move) - spread * rng.next() ** 2;
    const last = Math.exp(path[i + 1]) * stepsPerUnit;
    const surprise = Math.abs(move) / (typical * Math.sqrt(profile[i]));
    const busy = profile[i] * (0.6 + 0.8 * rng.next()) * (0.55 + 0.6 * Math.min(10, surprise));
    bars.time[i] = from + i * MINUTE_MS;
    bars.open[i] = priceAt(last, move, stepsPerUnit);
    bars.close[i] = priceAt(last, 0, stepsPerUnit);
    bars.high[i] = Math.max(priceAt(last, above, stepsPerUnit), bars.open[i], bars.close[i]);
    bars.low[i] = Math.min(priceAt(last, below, stepsPerUnit), bars.open[i], bars.close[i]);
    bars.volume[i] = Math.round(volume * busy * 100) / 100;
  }
  return bars;
}

/** The price a log distance from one given in steps, on a whole step. Two terms of the exponential are enough here. */
function priceAt(steps: number, distance: number, stepsPerUnit: number): number {
  return Math.max(1, Math.round(steps * (1 + distance + (distance * distance) / 2))) / stepsPerUnit;
}

/**
 * Log prices at the minute marks, from open to close, and the standard deviation of each minute. The walk between
 * them has heat of its own; a jump comes in one minute and what is left of it in those after.
 */
function drawPath(state: SessionState, profile: Float64Array, rng: Rng) {
  const minutes = profile.length;
  const path = new Float64Array(minutes + 1);
  const clock = new Float64Array(minutes + 1);
  const deviation = new Float64Array(minutes);
  const unit = state.volatility / Math.sqrt(minutes);
  // The sum of two uniform numbers has a variance of one sixth.
  const heatStep = MINUTE_HEAT * Math.sqrt(6 * (1 - MINUTE_MEMORY ** 2));
  const jumpAfter = Math.floor(state.jumpAt * minutes);
  let heat = MINUTE_HEAT * rng.normal();
  let jumpLeft = state.jump;
  for (let i = 0; i < minutes; i++) {
    const spread = unit * Math.sqrt(profile[i]) * Math.exp(heat - MINUTE_HEAT ** 2);
    const size = (rng.next() < SHOCK_CHANCE ? SHOCK_SIZE : 1) / SHOCK_MEAN;
    const jump = i < jumpAfter ? 0 : jumpLeft * (1 - JUMP_LEFT);
    jumpLeft -= jump;
    path[i + 1] = path[i] + spread * size * rng.normal() + jump;
    clock[i + 1] = clock[i] + spread * spread;
    deviation[i] = spread;
    heat = MINUTE_MEMORY * heat + heatStep * (rng.next() + rng.next() - 1);
  }
  const miss = state.close - state.open - path[minutes];
  for (let i = 0; i <= minutes; i++) path[i] += state.open + miss * (clock[i] / clock[minutes]);
  return { path, deviation };
}
