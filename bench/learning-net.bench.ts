import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "Sequence net",
  run: () => runCompiled(["learning-net-measure"]).flatMap((text) => JSON.parse(text) as Section[]),
};
