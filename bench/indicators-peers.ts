import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Bars } from "../src/core/market/candles.js";
import { installPeers } from "./peers.js";

/** A package that computes some of the indicators, by the names of our table. */
export interface Peer {
  readonly name: string;
  readonly cases: Readonly<Record<string, () => unknown>>;
}

/** Packages fetched when the bench runs; technicalindicators is a dependency. */
const PACKAGES = [
  "@ixjb94/indicators@1.2.4",
  "fast-technical-indicators@1.1.4",
  "indicatorts@2.2.2",
  "trading-signals@8.3.0",
  "@debut/indicators@1.4.2",
  "tulind@0.8.20",
];

/** Columns as the plain arrays that these packages take. */
interface Lists {
  readonly open: number[];
  readonly high: number[];
  readonly low: number[];
  readonly close: number[];
  readonly volume: number[];
}

type Call = (...inputs: unknown[]) => unknown;
type Functions = Readonly<Record<string, Call>>;
type Class = new (...inputs: unknown[]) => { update: Call; nextValue: Call };
type Classes = Readonly<Record<string, Class>>;
type Calculators = Readonly<Record<string, { calculate: Call }>>;

function calculatorCases(library: Calculators, { high, low, close, volume }: Lists): Peer["cases"] {
  const prices = { high, low, close, period: 14 };
  const values = { values: close, period: 14 };
  return {
    sma: () => library.SMA.calculate(values),
    ema: () => library.EMA.calculate(values),
    wma: () => library.WMA.calculate(values),
    rsi: () => library.RSI.calculate(values),
    macd: () =>
      library.MACD.calculate({
        ...{ values: close, fastPeriod: 12, slowPeriod: 26, signalPeriod: 9 },
        ...{ SimpleMAOscillator: false, SimpleMASignal: false },
      }),
    bbands: () => library.BollingerBands.calculate({ values: close, period: 20, stdDev: 2 }),
    atr: () => library.ATR.calculate(prices),
    adx: () => library.ADX.calculate(prices),
    stoch: () => library.Stochastic.calculate({ ...prices, signalPeriod: 3 }),
    obv: () => library.OBV.calculate({ close, volume }),
    cci: () => library.CCI.calculate(prices),
    mfi: () => library.MFI.calculate({ ...prices, volume }),
    willr: () => library.WilliamsR.calculate(prices),
    roc: () => library.ROC.calculate({ values: close, period: 10 }),
    trix: () => library.TRIX.calculate({ values: close, period: 15 }),
    ad: () => library.ADL.calculate({ high, low, close, volume }),
    stddev: () => library.SD.calculate({ values: close, period: 20 }),
    sar: () => library.PSAR.calculate({ high, low, step: 0.02, max: 0.2 }),
  };
}

function ixjb94Cases(library: Functions, { high, low, close, volume }: Lists): Peer["cases"] {
  return {
    sma: () => library.sma(close, 14),
    ema: () => library.ema(close, 14),
    wma: () => library.wma(close, 14),
    rsi: () => library.rsi(close, 14),
    macd: () => library.macd(close, 12, 26, 9),
    bbands: () => library.bbands(close, 20, 2),
    atr: () => library.atr(high, low, close, 14),
    adx: () => library.adx(high, low, 14),
    stoch: () => library.stoch(high, low, close, 14, 3, 3),
    obv: () => library.obv(close, volume),
    cci: () => library.cci(high, low, close, 14),
    mfi: () => library.mfi(high, low, close, volume, 14),
    willr: () => library.willr(high, low, close, 14),
    roc: () => library.roc(close, 10),
    trix: () => library.trix(close, 15),
    ad: () => library.ad(high, low, close, volume),
    aroon: () => library.aroon(high, low, 14),
    stddev: () => library.stddev(close, 20),
    linreg_slope: () => library.linregslope(close, 14),
    kama: () => library.kama(close, 30),
    sar: () => library.psar(high, low, 0.02, 0.2),
  };
}

function indicatortsCases(library: Functions, { high, low, close, volume }: Lists): Peer["cases"] {
  return {
    sma: () => library.sma(close, { period: 14 }),
    ema: () => library.ema(close, { period: 14 }),
    rsi: () => library.rsi(close, { period: 14 }),
    macd: () => library.macd(close, { fast: 12, slow: 26, signal: 9 }),
    bbands: () => library.bb(close, { period: 20 }),
    atr: () => library.atr(high, low, close, { period: 14 }),
    stoch: () => library.stoch(high, low, close, { kPeriod: 14, dPeriod: 3 }),
    obv: () => library.obv(close, volume),
    cci: () => library.cci(high, low, close, { period: 14 }),
    mfi: () => library.mfi(high, low, close, volume, { period: 14 }),
    willr: () => library.willr(high, low, close, { period: 14 }),
    roc: () => library.roc(close, { period: 10 }),
    trix: () => library.trix(close, { period: 15 }),
    ad: () => library.ad(high, low, close, volume),
    aroon: () => library.aroon(high, low, { period: 14 }),
    stddev: () => library.mstd(close, { period: 20 }),
    sar: () => library.psar(high, low, close, { step: 0.02, max: 0.2 }),
  };
}

function tradingSignalsCases(library: Classes, { open, high, low, close, volume }: Lists): Peer["cases"] {
  const candles = close.map((_, i) => ({
    open: open[i],
    high: high[i],
    low: low[i],
    close: close[i],
    volume: volume[i],
  }));
  const feed = (items: readonly unknown[], create: () => { update: Call }) => () => {
    const indicator = create();
    for (const item of items) indicator.update(item, false);
  };
  const { SMA, EMA, WMA, RSI, MACD, BollingerBands, ATR, ADX, StochasticOscillator, OBV, CCI, MFI } = library;
  const { WilliamsR, ROC, TRIX, AD, Aroon, PSAR, LinearRegression, KAMA } = library;
  return {
    sma: feed(close, () => new SMA(14)),
    ema: feed(close, () => new EMA(14)),
    wma: feed(close, () => new WMA(14)),
    rsi: feed(close, () => new RSI(14)),
    macd: feed(close, () => new MACD(new EMA(12), new EMA(26), new EMA(9))),
    bbands: feed(close, () => new BollingerBands(20, 2)),
    atr: feed(candles, () => new ATR(14)),
    adx: feed(candles, () => new ADX(14)),
    stoch: feed(candles, () => new StochasticOscillator({ kPeriod: 14, kSlowingPeriod: 3, dPeriod: 3 })),
    obv: feed(candles, () => new OBV(5)),
    cci: feed(candles, () => new CCI(14)),
    mfi: feed(candles, () => new MFI(14)),
    willr: feed(candles, () => new WilliamsR(14)),
    roc: feed(close, () => new ROC(10)),
    trix: feed(close, () => new TRIX(15)),
    ad: feed(candles, () => new AD()),
    aroon: feed(candles, () => new Aroon(14)),
    linreg_slope: feed(close, () => new LinearRegression(14)),
    kama: feed(close, () => new KAMA(30)),
    sar: feed(candles, () => new PSAR({ accelerationStep: 0.02, accelerationMax: 0.2 })),
  };
}

function debutCases(library: Classes, { high, low, close, volume }: Lists): Peer["cases"] {
  const one = (create: () => { nextValue: Call }) => () => {
    const indicator = create();
    for (let i = 0; i < close.length; i++) indicator.nextValue(close[i]);
  };
  const three = (create: () => { nextValue: Call }) => () => {
    const indicator = create();
    for (let i = 0; i < close.length; i++) indicator.nextValue(high[i], low[i], close[i], volume[i]);
  };
  const { SMA, EMA, RSI, MACD, BollingerBands, ATR, ADX, Stochastic, CCI, MFI, ROC, TRIX, PSAR } = library;
  return {
    sma: one(() => new SMA(14)),
    ema: one(() => new EMA(14)),
    rsi: one(() => new RSI(14)),
    macd: one(() => new MACD(12, 26, 9)),
    bbands: one(() => new BollingerBands(20, 2)),
    atr: three(() => new ATR(14)),
    adx: three(() => new ADX(14)),
    stoch: three(() => new Stochastic(14, 3)),
    cci: three(() => new CCI(14)),
    mfi: three(() => new MFI(14)),
    roc: one(() => new ROC(10)),
    trix: one(() => new TRIX(15)),
    sar: three(() => new PSAR(0.02, 0.02, 0.2)),
  };
}

function tulindCases(
  library: Readonly<Record<string, { indicator: Call }>>,
  { high, low, close, volume }: Lists,
): Peer["cases"] {
  const call = (name: string, inputs: readonly number[][], options: readonly number[]) => () =>
    library[name].indicator(inputs, options, () => undefined);
  return {
    sma: call("sma", [close], [14]),
    ema: call("ema", [close], [14]),
    wma: call("wma", [close], [14]),
    rsi: call("rsi", [close], [14]),
    macd: call("macd", [close], [12, 26, 9]),
    bbands: call("bbands", [close], [20, 2]),
    atr: call("atr", [high, low, close], [14]),
    adx: call("adx", [high, low, close], [14]),
    stoch: call("stoch", [high, low, close], [14, 3, 3]),
    obv: call("obv", [close, volume], []),
    cci: call("cci", [high, low, close], [14]),
    mfi: call("mfi", [high, low, close, volume], [14]),
    willr: call("willr", [high, low, close], [14]),
    roc: call("roc", [close], [10]),
    trix: call("trix", [close], [15]),
    ad: call("ad", [high, low, close, volume], []),
    aroon: call("aroon", [high, low], [14]),
    stddev: call("stddev", [close], [20]),
    linreg_slope: call("linregslope", [close], [14]),
    kama: call("kama", [close], [30]),
    sar: call("psar", [high, low], [0.02, 0.2]),
  };
}

type Load = (require: NodeJS.Require, lists: Lists) => Peer["cases"] | Promise<Peer["cases"]>;

const LOADERS: Readonly<Record<string, Load>> = {
  technicalindicators: async (_, lists) =>
    calculatorCases((await import("technicalindicators")) as unknown as Calculators, lists),
  "@ixjb94/indicators"(require, lists) {
    const { IndicatorsSync } = require("@ixjb94/indicators") as { IndicatorsSync: new () => Functions };
    return ixjb94Cases(new IndicatorsSync(), lists);
  },
  "fast-technical-indicators": (require, lists) =>
    calculatorCases(require("fast-technical-indicators") as Calculators, lists),
  indicatorts: (require, lists) => indicatortsCases(require("indicatorts") as Functions, lists),
  "trading-signals": async (require, lists) =>
    tradingSignalsCases(
      (await import(pathToFileURL(require.resolve("trading-signals")).href)) as Classes,
      lists,
    ),
  "@debut/indicators": (require, lists) => debutCases(require("@debut/indicators") as Classes, lists),
  tulind: (require, lists) => tulindCases(require("tulind").indicators, lists),
};

/** Names of the packages. */
export const PEERS = Object.keys(LOADERS);

/** A package with its cases on these bars, or why it can't be had. */
export async function loadPeer(
  name: string,
  { open, high, low, close, volume }: Bars,
): Promise<{ peer: Peer; problem: null } | { peer: null; problem: string }> {
  const folder = join(tmpdir(), "tx-bench-peers");
  const problem = name === "technicalindicators" ? null : installPeers(folder, PACKAGES);
  if (problem !== null) return { peer: null, problem: `Skipped: ${problem}` };
  const lists: Lists = {
    open: Array.from(open),
    high: Array.from(high),
    low: Array.from(low),
    close: Array.from(close),
    volume: Array.from(volume),
  };
  try {
    const cases = await LOADERS[name](createRequire(pathToFileURL(join(folder, "bench.js"))), lists);
    return { peer: { name, cases }, problem };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { peer: null, problem: `Skipped: ${reason}` };
  }
}
