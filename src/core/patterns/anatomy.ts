/** Columns of candle geometry that detectors share. */
export interface Anatomy {
  readonly length: number;
}
