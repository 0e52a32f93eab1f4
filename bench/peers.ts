import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Installs npm packages to compare with into a folder outside the repository, which keeps them for the next run.
 * @returns why it could not be done, or null.
 */
export function installPeers(folder: string, packages: readonly string[]): string | null {
  if (existsSync(join(folder, "node_modules"))) return null;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  try {
    const options = ["--no-audit", "--no-fund", "--silent", "--legacy-peer-deps"];
    execFileSync("npm", ["install", ...options, ...packages], {
      cwd: folder,
      stdio: "pipe",
      timeout: 300_000,
    });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}
