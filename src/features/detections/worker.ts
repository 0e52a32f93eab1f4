import type { Candles } from "../../core/market/candles.js";
import { findSightings, type Sighting } from "./find.js";

export interface Window {
  readonly candles: Candles;
  /** First bar whose sightings are wanted. */
  readonly from: number;
}

/** Examines windows in a thread. */
export default function examine(windows: readonly Window[]): Sighting[][] {
  return windows.map(({ candles, from }) => findSightings(candles, from));
}
