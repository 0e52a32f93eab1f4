import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "scan",
  run: () => runCompiled(["scan-measure"]).flatMap((text) => JSON.parse(text) as Section[]),
};
