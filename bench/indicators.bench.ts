import { runCompiled } from "./compiled.js";
import { oracleSection } from "./indicators-oracle.js";
import { PEERS } from "./indicators-peers.js";
import type { Bench, Section } from "./time.js";

/** Each in a process of its own, so that none runs in memory or with types that another left behind. */
const SCRIPTS = [
  "indicators-speed",
  ...PEERS.map((peer) => `indicators-npm ${peer}`),
  "indicators-streams",
  "indicators-collections",
];

export const bench: Bench = {
  name: "indicators",
  run() {
    const printed = runCompiled(SCRIPTS);
    return [oracleSection(), ...printed.flatMap((text) => JSON.parse(text) as Section[])];
  },
};
