import { darkCloudCover } from "./dark-cloud-cover.js";
import { doji } from "./doji.js";
import { dragonflyDoji } from "./dragonfly-doji.js";
import { engulfing } from "./engulfing.js";
import { eveningStar } from "./evening-star.js";
import { gravestoneDoji } from "./gravestone-doji.js";
import { hammer } from "./hammer.js";
import { hangingMan } from "./hanging-man.js";
import { haramiCross } from "./harami-cross.js";
import { harami } from "./harami.js";
import { invertedHammer } from "./inverted-hammer.js";
import { marubozu } from "./marubozu.js";
import { morningStar } from "./morning-star.js";
import { piercingLine } from "./piercing-line.js";
import { shootingStar } from "./shooting-star.js";
import { spinningTop } from "./spinning-top.js";
import { threeBlackCrows } from "./three-black-crows.js";
import { threeInside } from "./three-inside.js";
import { threeOutside } from "./three-outside.js";
import { threeWhiteSoldiers } from "./three-white-soldiers.js";
import type { Candlestick } from "./define.js";

/** Every candlestick pattern, in the order of TA-Lib's names. */
export const CANDLESTICKS: readonly Candlestick[] = Object.freeze([
  threeBlackCrows,
  threeInside,
  threeOutside,
  threeWhiteSoldiers,
  darkCloudCover,
  doji,
  dragonflyDoji,
  engulfing,
  eveningStar,
  gravestoneDoji,
  hammer,
  hangingMan,
  harami,
  haramiCross,
  invertedHammer,
  marubozu,
  morningStar,
  piercingLine,
  shootingStar,
  spinningTop,
]);
