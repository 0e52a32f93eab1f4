/** TA-Lib's default candle settings (TA_SetCandleSettings), as multiples of the average range before a bar. */
export const DOJI = 0.1;
export const SHADOW_VERY_SHORT = 0.1;
/** Near, far and equal are measured against the average over `RECENT_BARS`, the others over `AVERAGE_BARS`. */
export const NEAR = 0.2;
export const FAR = 0.6;
export const EQUAL = 0.05;

/** Bars in the averages of body, range and shadows, and in that of the recent range. */
export const AVERAGE_BARS = 10;
export const RECENT_BARS = 5;
