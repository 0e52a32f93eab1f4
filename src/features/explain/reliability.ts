import type { Confidence, Evidence } from "../evidence/evidence.js";

/** What was measured of trades on a pattern: rates 0..1, null where there are too few. */
export type Reliability = Confidence;

/** Who measured how often patterns came true. */
export type ReliabilitySource = Pick<Evidence, "confidenceOf">;
