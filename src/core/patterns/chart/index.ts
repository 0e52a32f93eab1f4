import type { Pattern } from "../define.js";
import { ascendingChannel, descendingChannel } from "./channel.js";
import { cupWithHandle } from "./cup.js";
import { doubleBottom, doubleTop } from "./double.js";
import { flag, pennant } from "./flag.js";
import { headAndShouldersTop, inverseHeadAndShoulders } from "./head-and-shoulders.js";
import { rectangle } from "./rectangle.js";
import { roundingBottom } from "./rounding-bottom.js";
import { trendLineBreak } from "./trend-line.js";
import { ascendingTriangle, descendingTriangle, symmetricalTriangle } from "./triangle.js";
import { tripleBottom, tripleTop } from "./triple.js";
import { uglyDoubleBottom } from "./ugly-double.js";
import { fallingWedge, risingWedge } from "./wedge.js";

/** Shapes of many bars, made of swings and the lines between them. */
export const CHARTS: readonly Pattern[] = Object.freeze([
  headAndShouldersTop,
  inverseHeadAndShoulders,
  doubleTop,
  doubleBottom,
  uglyDoubleBottom,
  tripleTop,
  tripleBottom,
  ascendingTriangle,
  descendingTriangle,
  symmetricalTriangle,
  risingWedge,
  fallingWedge,
  flag,
  pennant,
  rectangle,
  cupWithHandle,
  roundingBottom,
  ascendingChannel,
  descendingChannel,
  trendLineBreak,
]);
