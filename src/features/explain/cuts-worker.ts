import type { SubjectFinding } from "./truncation.js";
import { type CutSearch, findCuts, TESTED_STRATEGIES } from "./truncation-strategy.js";

/** The truncation test of strategies in a thread. */
export default function search(part: CutSearch): SubjectFinding[] {
  return findCuts(TESTED_STRATEGIES, part);
}
