import { runCompiled } from "./compiled.js";
import { oracleSection } from "./indicators-oracle.js";
import type { Bench, Section } from "./time.js";

export const bench: Bench = {
  name: "indicators",
  run() {
    const printed = runCompiled(["indicators-measure", "indicators-collections"]);
    return [oracleSection(), ...printed.flatMap((text) => JSON.parse(text) as Section[])];
  },
};
