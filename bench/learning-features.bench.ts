import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "learning-features",
  run: () => runCompiled(["learning-features-measure"]).flatMap((text) => JSON.parse(text) as Section[]),
};
