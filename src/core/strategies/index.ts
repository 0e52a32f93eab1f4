import type { Strategy } from "./define.js";
import { goldenCross } from "./golden-cross.js";

/** Every strategy. */
export const STRATEGIES: readonly Strategy[] = Object.freeze([goldenCross]);

const byId = new Map(STRATEGIES.map((strategy) => [strategy.id, strategy]));

/** The row of that id, or null. */
export function findStrategy(id: string): Strategy | null {
  return byId.get(id) ?? null;
}
