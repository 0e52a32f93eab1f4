import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "events",
  run: () => runCompiled(["events-measure"]).flatMap((text) => JSON.parse(text) as Section[]),
};
