import { type Evidence, unmeasured } from "./evidence.js";

/**
 * Evidence without what was measured of bars later than a moment, epoch ms: only the newest run is in memory, so that
 * nothing is left of one that is newer. @param asOfMs leaves nothing out where there is none.
 */
export function evidenceAsOf(
  evidence: Pick<Evidence, "confidenceOf">,
  asOfMs: number | undefined,
): Pick<Evidence, "confidenceOf"> {
  if (asOfMs === undefined) return evidence;
  return {
    confidenceOf(...question) {
      const found = evidence.confidenceOf(...question);
      if (found.asOfMs === null || found.asOfMs <= asOfMs) return found;
      return unmeasured(found.regime, "It was measured of later bars, too", found.asOfMs);
    },
  };
}
