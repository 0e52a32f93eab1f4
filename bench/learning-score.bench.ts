import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "Learning: scoring",
  run: () => runCompiled(["learning-score-measure"]).flatMap((text) => JSON.parse(text) as Section[]),
};
