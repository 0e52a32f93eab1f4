import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "./clock.js";

const PATIENCE_MS = 15_000;

/**
 * Removes the lock files of a server that is gone although its number is still taken: by another program, or by
 * its own entry in a process table that nobody clears (containers without an init). Postgres would take either for
 * a running server. Nothing is removed before the last process that works in the cluster has ended: two servers on
 * one cluster would destroy it. Where processes cannot be listed, Postgres is left to decide.
 */
export async function clearStaleLocks(cluster: string, socketFolder: string): Promise<void> {
  if (!existsSync("/proc/self/cwd")) return;
  const deadline = performance.now() + PATIENCE_MS;
  while (worksIn(cluster)) {
    if (performance.now() > deadline)
      throw new Error(`processes of an earlier server still work in ${cluster}`);
    await sleep(50);
  }
  rmSync(join(cluster, "postmaster.pid"), { force: true });
  if (socketFolder === "" || !existsSync(socketFolder)) return;
  for (const name of readdirSync(socketFolder).filter((entry) => entry.startsWith(".s.PGSQL."))) {
    rmSync(join(socketFolder, name), { force: true });
  }
}

/** True while the number belongs to a Postgres that has not ended. */
export function isRunningPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const path = `/proc/${pid}/cmdline`;
  // An ended process that nobody waited for has an empty command line.
  return !existsSync("/proc/self") || (existsSync(path) && readFileSync(path, "utf8").includes("postgres"));
}

/** Whether any process has the cluster for its working folder, as every server process has. */
function worksIn(cluster: string): boolean {
  const folder = realpathSync(cluster);
  return readdirSync("/proc").some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readlinkSync(`/proc/${entry}/cwd`) === folder;
    } catch {
      // Ended meanwhile, or of a user whose processes are not ours to see; the server's own are.
      return false;
    }
  });
}
