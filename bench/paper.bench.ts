import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runCompiled } from "./compiled.js";
import type { Bench, Section } from "./time.js";

/** The built server over the embedded Postgres, or DATABASE_URL's, asked over HTTP from another process. */
export const bench: Bench = {
  name: "paper",
  run() {
    const root = fileURLToPath(new URL("..", import.meta.url));
    execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    return runCompiled(["paper-measure"]).flatMap((text) => JSON.parse(text) as Section[]);
  },
};
