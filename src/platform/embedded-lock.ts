import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import pg from "pg";
import { sqlState } from "./database-errors.js";

/** Where to connect, without a password: the socket lies in a folder only this user may enter. */
export interface EmbeddedConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Said explicitly, since an environment may ask for it with other databases in mind. */
  readonly ssl: false;
}

/** A server that accepts connections. */
export interface Running {
  readonly pid: number;
  readonly connection: EmbeddedConnection;
}

/** What is known of the server of a cluster: there is none, it may come or go, or it runs. */
export type ServerState = "none" | "unreadable" | "waiting" | Running;

export function connectionTo(host: string, port: number): EmbeddedConnection {
  return { host, port, user: "postgres", database: "postgres", ssl: false };
}

/** The lock file that a server keeps in its cluster. */
function lockOf(cluster: string): string {
  return join(cluster, "postmaster.pid");
}

/**
 * Asks the server that the cluster's lock file names. A lock file nobody holds any more is taken away, but not
 * before the last process of that server has ended: with the lock gone, Postgres would not see that sessions of a
 * killed postmaster still write to the cluster.
 */
export async function lookAt(cluster: string): Promise<ServerState> {
  const lines = readLines(lockOf(cluster));
  // Without its lock file a server writes on for up to a minute, until it looks; a second one would not see it.
  if (lines === null) return hasProcesses(cluster) ? "waiting" : "none";
  // Lines: pid, data folder, start time, port, socket folder; the last one comes later than the others.
  const pid = Number(lines[0]);
  if (!(pid > 0)) return "unreadable";
  if (!mayServe(pid, cluster)) {
    if (hasProcesses(cluster)) return "waiting";
    // Meanwhile it may have become another server's.
    if (Number(readLines(lockOf(cluster))?.[0]) === pid) removeLock(cluster);
    return "none";
  }
  const host = lines[4]?.trim() ?? "";
  const connection = connectionTo(host, Number(lines[3]));
  return host !== "" && (await accepts(connection)) ? { pid, connection } : "waiting";
}

/**
 * Takes a lock file away unless the server of the cluster holds it. After a crash its number may belong to
 * another program, which would keep Postgres from starting.
 */
export function dropLock(path: string, cluster: string): void {
  const pid = Number(readLines(path)?.[0]);
  if (!(pid > 0) || !mayServe(pid, cluster)) rmSync(path, { force: true });
}

/** Takes the lock file of a cluster away whoever holds it. */
export function removeLock(cluster: string): void {
  rmSync(lockOf(cluster), { force: true });
}

/** Whether a server still holds the cluster. */
export function isLocked(cluster: string, pid: number): boolean {
  return existsSync(lockOf(cluster)) && mayServe(pid, cluster);
}

/** False when the process is gone, or is known to be another program than the server of this cluster. */
export function mayServe(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false;
  // Where processes show their working folder: a server's is its cluster.
  if (!existsSync("/proc/self/cwd")) return true;
  try {
    // A folder that was removed under a process is marked.
    return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "") === realPathOf(cluster);
  } catch {
    // It ended, or belongs to a user we know nothing of.
    return false;
  }
}

/** Whether the server still runs, even if somebody removed its files. */
export function stillRuns(pid: number, cluster: string): boolean {
  // Where processes do not show what they are, a number alone might be another program's.
  return existsSync("/proc/self/cwd") ? mayServe(pid, cluster) : isLocked(cluster, pid);
}

/** The path without links, also of what is not there. */
function realPathOf(path: string): string {
  if (existsSync(path) || path === dirname(path)) return realpathSync(path);
  return join(realPathOf(dirname(path)), basename(path));
}

/** Whether any process of a Postgres has the cluster for its working folder, as every one of its server has. */
function hasProcesses(cluster: string): boolean {
  if (!existsSync("/proc/self/cwd") || !existsSync(cluster)) return false;
  const folder = realpathSync(cluster);
  return readdirSync("/proc").some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      // A shell may stand in the folder, too.
      return (
        readlinkSync(`/proc/${entry}/cwd`) === folder &&
        basename(readlinkSync(`/proc/${entry}/exe`)).startsWith("postgres")
      );
    } catch {
      // Ended meanwhile, or of a user whose processes are not ours to see; the server's own are.
      return false;
    }
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function readLines(path: string): string[] | null {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function accepts(connection: EmbeddedConnection): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // Whoever refuses with a code is there; 57P03 says not now: starting up, recovering or shutting down.
    const state = sqlState(error);
    return state !== null && state !== "57P03";
  } finally {
    await client.end();
  }
}
