import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "patterns-chart",
  run: async () => runCompiled(["patterns-chart-measure"]).flatMap((text) => JSON.parse(text) as Section[]),
};
