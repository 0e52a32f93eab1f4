import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "Tick pipeline",
  run: () =>
    runCompiled(["pipeline-measure", "pipeline-latency-measure", "pipeline-frames-measure"]).flatMap(
      (text) => JSON.parse(text) as Section[],
    ),
};
