import { htTrendline } from "./cycle/ht-trendline.js";
import type { Indicator } from "./define.js";
import { nadarayaWatson } from "./kernel/nadaraya-watson.js";
import { rationalQuadratic } from "./kernel/rational-quadratic.js";
import { rationalQuadraticSlope } from "./kernel/rational-quadratic-slope.js";
import { trange } from "./library.js";
import { apo } from "./momentum/apo.js";
import { awesomeOscillator } from "./momentum/awesome-oscillator.js";
import { bop } from "./momentum/bop.js";
import { cci } from "./momentum/cci.js";
import { cmo } from "./momentum/cmo.js";
import { coppock } from "./momentum/coppock.js";
import { elderRay } from "./momentum/elder-ray.js";
import { kst } from "./momentum/kst.js";
import { macd } from "./momentum/macd.js";
import { mlmi } from "./momentum/mlmi.js";
import { mom } from "./momentum/mom.js";
import { ppo } from "./momentum/ppo.js";
import { roc } from "./momentum/roc.js";
import { rsi } from "./momentum/rsi.js";
import { stoch } from "./momentum/stoch.js";
import { stochf } from "./momentum/stochf.js";
import { stochrsi } from "./momentum/stochrsi.js";
import { trix } from "./momentum/trix.js";
import { tsi } from "./momentum/tsi.js";
import { ultosc } from "./momentum/ultosc.js";
import { willr } from "./momentum/willr.js";
import { averagePrice } from "./price/average-price.js";
import { fairValueGap } from "./price/fair-value-gap.js";
import { heikinAshi } from "./price/heikin-ashi.js";
import { medianPrice } from "./price/median-price.js";
import { midprice } from "./price/midprice.js";
import { typicalPrice } from "./price/typical-price.js";
import { weightedClose } from "./price/weighted-close.js";
import { beta } from "./statistics/beta.js";
import { correl } from "./statistics/correl.js";
import { efficiencyRatio } from "./statistics/efficiency-ratio.js";
import { hurst } from "./statistics/hurst.js";
import { linreg } from "./statistics/linreg.js";
import { linregChannel } from "./statistics/linreg-channel.js";
import { linregSlope } from "./statistics/linreg-slope.js";
import { mmdRegime } from "./statistics/mmd-regime.js";
import { stddev } from "./statistics/stddev.js";
import { zscore } from "./statistics/zscore.js";
import { adx } from "./trend/adx.js";
import { adxr } from "./trend/adxr.js";
import { alligator } from "./trend/alligator.js";
import { aroon } from "./trend/aroon.js";
import { dema } from "./trend/dema.js";
import { dx } from "./trend/dx.js";
import { ema } from "./trend/ema.js";
import { hma } from "./trend/hma.js";
import { ichimoku } from "./trend/ichimoku.js";
import { kama } from "./trend/kama.js";
import { sar } from "./trend/sar.js";
import { sma } from "./trend/sma.js";
import { smma } from "./trend/smma.js";
import { supertrend } from "./trend/supertrend.js";
import { t3 } from "./trend/t3.js";
import { tema } from "./trend/tema.js";
import { trima } from "./trend/trima.js";
import { vortex } from "./trend/vortex.js";
import { vwma } from "./trend/vwma.js";
import { wma } from "./trend/wma.js";
import { zlema } from "./trend/zlema.js";
import { atr } from "./volatility/atr.js";
import { bbands } from "./volatility/bbands.js";
import { bollingerWidth } from "./volatility/bollinger-width.js";
import { chandelier } from "./volatility/chandelier.js";
import { choppiness } from "./volatility/choppiness.js";
import { donchian } from "./volatility/donchian.js";
import { garmanKlass } from "./volatility/garman-klass.js";
import { keltner } from "./volatility/keltner.js";
import { natr } from "./volatility/natr.js";
import { parkinson } from "./volatility/parkinson.js";
import { percentB } from "./volatility/percent-b.js";
import { realisedVolatility } from "./volatility/realised-volatility.js";
import { rogersSatchell } from "./volatility/rogers-satchell.js";
import { ulcer } from "./volatility/ulcer.js";
import { yangZhang } from "./volatility/yang-zhang.js";
import { ad } from "./volume/ad.js";
import { adosc } from "./volume/adosc.js";
import { cmf } from "./volume/cmf.js";
import { forceIndex } from "./volume/force-index.js";
import { lowVolumeNode } from "./volume/low-volume-node.js";
import { mfi } from "./volume/mfi.js";
import { nvi } from "./volume/nvi.js";
import { obv } from "./volume/obv.js";
import { pvi } from "./volume/pvi.js";
import { pvt } from "./volume/pvt.js";
import { volumeProfile } from "./volume/volume-profile.js";
import { vwap } from "./volume/vwap.js";
import { vwapBands } from "./volume/vwap-bands.js";

/** Every indicator, by family. */
export const INDICATORS: readonly Indicator[] = Object.freeze([
  ...[
    adx,
    adxr,
    alligator,
    aroon,
    dema,
    dx,
    ema,
    hma,
    ichimoku,
    kama,
    sar,
    sma,
    smma,
    supertrend,
    t3,
    tema,
    trima,
    vortex,
    vwma,
    wma,
    zlema,
  ],
  ...[
    apo,
    awesomeOscillator,
    bop,
    cci,
    cmo,
    coppock,
    elderRay,
    kst,
    macd,
    mlmi,
    mom,
    ppo,
    roc,
    rsi,
    stoch,
    stochf,
    stochrsi,
    trix,
    tsi,
    ultosc,
    willr,
  ],
  ...[
    atr,
    bbands,
    bollingerWidth,
    chandelier,
    choppiness,
    donchian,
    garmanKlass,
    keltner,
    natr,
    parkinson,
    percentB,
    realisedVolatility,
    rogersSatchell,
    trange,
    ulcer,
    yangZhang,
  ],
  ...[ad, adosc, cmf, forceIndex, lowVolumeNode, mfi, nvi, obv, pvi, pvt, volumeProfile, vwap, vwapBands],
  ...[averagePrice, fairValueGap, heikinAshi, medianPrice, midprice, typicalPrice, weightedClose],
  ...[beta, correl, efficiencyRatio, hurst, linreg, linregChannel, linregSlope, mmdRegime, stddev, zscore],
  ...[htTrendline],
  ...[nadarayaWatson, rationalQuadratic, rationalQuadraticSlope],
]);

const BY_NAME: ReadonlyMap<string, Indicator> = new Map(INDICATORS.map((row) => [row.name, row]));

/** The row of that name, or null. */
export function findIndicator(name: string): Indicator | null {
  return BY_NAME.get(name) ?? null;
}
