import { createRng, hash32, type Rng } from "../core/base/rng.js";
import { allocateBars, type Bars } from "../core/market/candles.js";
import type { AssetClass, Instrument } from "../core/market/instrument.js";
import { lastOpened, type Calendar } from "../core/market/session.js";

/**
 * A market made of dice. The state of each session (regime, open, close) follows from the one before it; the
 * minutes of a session are a random bridge between its open and close with the volatility of its regime. Every
 * number follows from (seed, symbol, session), so any part can be made again at any time, alone, identically.
 */
export interface SyntheticMarket {
  /** Index of the first and one past the last session there is at a moment. */
  readonly firstSession: number;
  sessionsOpenedBy(timeMs: number): number;
  regimeOf(session: number): Regime;
  /** Bars of one minute, one for each minute of the session. */
  minutesOf(session: number): Bars;
}

export type Regime = "bull" | "bear" | "range" | "turbulent" | "quiet";

interface RegimeTraits {
  /** Added to the log price each session, in daily volatilities. */
  readonly drift: number;
  readonly volatility: number;
  /** Share of the distance to the anchor price that is made good each session. */
  readonly pull: number;
  readonly volume: number;
  /** Mean length in sessions. */
  readonly length: number;
}

const REGIMES: Readonly<Record<Regime, RegimeTraits>> = {
  bull: { drift: 0.16, volatility: 0.9, pull: 0, volume: 1, length: 45 },
  bear: { drift: -0.2, volatility: 1.25, pull: 0, volume: 1.25, length: 25 },
  range: { drift: 0, volatility: 0.8, pull: 0.12, volume: 0.9, length: 40 },
  turbulent: { drift: 0, volatility: 2.2, pull: 0.02, volume: 1.9, length: 12 },
  quiet: { drift: 0.03, volatility: 0.45, pull: 0.03, volume: 0.7, length: 30 },
};
const REGIME_NAMES = Object.keys(REGIMES) as Regime[];

interface Traits {
  readonly startPrice: number;
  /** Standard deviation of a session's log return in an ordinary regime. */
  readonly volatility: number;
  /** Share of a session's variance that falls between sessions. */
  readonly gapShare: number;
  readonly jumpChance: number;
  readonly minuteVolume: number;
  /** Price step. */
  readonly tick: number;
}

/** First moment of the market. */
const BEGINNING_MS = Date.UTC(2015, 0, 1);
/** Slow return to the starting price, so that decades of dice do not end at nothing or at infinity. */
const HOMING = 0.0006;
const MINUTE_MS = 60_000;

function traitsOf(assetClass: AssetClass, rng: Rng): Traits {
  const between = (low: number, high: number) => low * (high / low) ** rng.next();
  switch (assetClass) {
    case "crypto":
      return {
        startPrice: between(20, 60_000),
        volatility: between(0.028, 0.045),
        gapShare: 0,
        jumpChance: 0.03,
        minuteVolume: between(5, 500),
        tick: 0.01,
      };
    case "fx":
      return {
        startPrice: between(0.6, 1.6),
        volatility: between(0.004, 0.006),
        gapShare: 0.02,
        jumpChance: 0.008,
        minuteVolume: between(200, 800),
        tick: 0.00001,
      };
    case "index":
      return {
        startPrice: between(2_000, 20_000),
        volatility: between(0.008, 0.012),
        gapShare: 0.2,
        jumpChance: 0.008,
        minuteVolume: 0,
        tick: 0.01,
      };
    default:
      return {
        startPrice: between(25, 400),
        volatility: between(0.011, 0.026),
        gapShare: 0.25,
        jumpChance: 0.015,
        minuteVolume: between(3_000, 120_000),
        tick: 0.01,
      };
  }
}

interface SessionState {
  readonly regime: Regime;
  readonly open: number;
  readonly close: number;
  /** Volatility of the session. */
  readonly volatility: number;
  /** Log size and place (0..1) of a jump within the session; size 0 for none. */
  readonly jump: number;
  readonly jumpAt: number;
}

export function createSyntheticMarket(
  instrument: Instrument,
  calendar: Calendar,
  seed: number,
): SyntheticMarket {
  const stream = hash32(instrument.symbol);
  const traits = traitsOf(instrument.assetClass, createRng(seed, stream));
  const firstSession = Math.max(0, lastOpened(calendar, BEGINNING_MS) + 1);
  const states: SessionState[] = [];
  const anchor = Math.log(traits.startPrice);

  function nextState(session: number, before: SessionState | undefined): SessionState {
    const rng = createRng(seed, stream, session + 1);
    const stays = before !== undefined && rng.next() >= 1 / REGIMES[before.regime].length;
    const regime = stays ? before.regime : REGIME_NAMES[rng.below(REGIME_NAMES.length)];
    const { drift, volatility: factor, pull } = REGIMES[regime];
    const volatility = traits.volatility * factor * Math.exp(0.2 * rng.normal());
    const from = before?.close ?? anchor;
    const gap = volatility * Math.sqrt(traits.gapShare) * rng.normal();
    const open = from + gap;
    const jump = rng.next() < traits.jumpChance ? volatility * 2.5 * rng.normal() : 0;
    const home = (pull + HOMING) * (anchor - from);
    const own = volatility * Math.sqrt(1 - traits.gapShare) * rng.normal();
    return {
      regime,
      open,
      close: open + drift * volatility + home + own + jump,
      volatility,
      jump,
      jumpAt: rng.next(),
    };
  }

  function stateOf(session: number): SessionState {
    for (let next = firstSession + states.length; next <= session; next++) {
      states.push(nextState(next, states.at(-1)));
    }
    return states[session - firstSession];
  }

  return {
    firstSession,
    sessionsOpenedBy: (timeMs) => lastOpened(calendar, timeMs) + 1,
    regimeOf: (session) => stateOf(session).regime,
    minutesOf(session) {
      const from = calendar.open[session];
      const minutes = Math.round((calendar.close[session] - from) / MINUTE_MS);
      const rng = createRng(seed ^ 0x5bd1e995, stream, session + 1);
      return drawMinutes(stateOf(session), traits, rng, from, minutes);
    },
  };
}

/** Activity through a session: high at both ends, low in the middle; mean about 1. */
function activity(share: number): number {
  const fromMiddle = 2 * share - 1;
  return 0.62 + 1.15 * fromMiddle * fromMiddle;
}

function drawMinutes(state: SessionState, traits: Traits, rng: Rng, from: number, minutes: number): Bars {
  const bars = allocateBars(minutes);
  const path = drawPath(state, rng, minutes);
  const step = state.volatility / Math.sqrt(minutes);
  const round = (price: number) => Math.max(traits.tick, Math.round(price / traits.tick) * traits.tick);
  const volume = traits.minuteVolume * REGIMES[state.regime].volume;
  for (let i = 0; i < minutes; i++) {
    const spread = step * Math.sqrt(activity((i + 0.5) / minutes));
    const open = path[i];
    const close = path[i + 1];
    const high = Math.max(open, close) + 0.45 * spread * Math.abs(rng.normal());
    const low = Math.min(open, close) - 0.45 * spread * Math.abs(rng.normal());
    const surprise = Math.abs(close - open) / spread;
    const busy =
      volume * activity((i + 0.5) / minutes) * Math.exp(0.35 * rng.normal()) * (0.7 + 0.4 * surprise);
    bars.time[i] = from + i * MINUTE_MS;
    bars.open[i] = round(Math.exp(open));
    bars.close[i] = round(Math.exp(close));
    bars.high[i] = Math.max(round(Math.exp(high)), bars.open[i], bars.close[i]);
    bars.low[i] = Math.min(round(Math.exp(low)), bars.open[i], bars.close[i]);
    bars.volume[i] = Math.round(busy * 100) / 100;
  }
  return bars;
}

/** Log prices at the minute marks: a Brownian bridge from open to close, with the jump in one minute. */
function drawPath(state: SessionState, rng: Rng, minutes: number): Float64Array {
  const path = new Float64Array(minutes + 1);
  const clock = new Float64Array(minutes + 1);
  const unit = state.volatility / Math.sqrt(minutes);
  for (let i = 0; i < minutes; i++) {
    const variance = activity((i + 0.5) / minutes);
    clock[i + 1] = clock[i] + variance;
    path[i + 1] = path[i] + unit * Math.sqrt(variance) * rng.normal();
  }
  const target = state.close - state.open - state.jump;
  const miss = target - path[minutes];
  const jumpAfter = Math.floor(state.jumpAt * minutes);
  for (let i = 0; i <= minutes; i++) {
    path[i] += state.open + miss * (clock[i] / clock[minutes]) + (i > jumpAfter ? state.jump : 0);
  }
  return path;
}
