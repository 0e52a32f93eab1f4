import { spawn } from "node:child_process";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { sleep } from "./clock.js";
import { type Binaries, type Identity, PROGRAM_PATH } from "./embedded-binaries.js";
import { dropLock, lookAt, type Running, removeLock, stillRuns } from "./embedded-lock.js";

/** Part of the name of a socket; nothing listens on a port of this number. */
export const SOCKET_PORT = 5432;
export const SOCKET_NAME = `.s.PGSQL.${SOCKET_PORT}`;
const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 3_000;
/** A lock file is made empty and written at once; one that stays unreadable was left by a crash. */
const UNREADABLE_LIMIT_MS = 1_000;
const LOG_FILE_LIMIT = 10 * 1024 * 1024;
/** Unix socket paths end at 107 bytes on Linux, 103 on macOS. */
const SOCKET_PATH_LIMIT = 100;
const SOCKET_FOLDER = "tx-postgres-";

/** Whether the path of a socket in a folder is short enough. */
export function socketFits(folder: string): boolean {
  return Buffer.byteLength(join(folder, SOCKET_NAME)) <= SOCKET_PATH_LIMIT;
}

/** Takes the folder of a socket away if it is a temporary one. */
export function removeSocketFolder(folder: string): void {
  if (basename(folder).startsWith(SOCKET_FOLDER)) rmSync(folder, { recursive: true, force: true });
}

/** The folder for a cluster's socket: beside it where the path is short enough, else the one given or a new one. */
function socketFolder(cluster: string, temporary: string | null): string {
  const near = `${cluster}.run`;
  if (!socketFits(near) && temporary === null) return mkdtempSync(join(tmpdir(), SOCKET_FOLDER));
  const folder = socketFits(near) ? near : (temporary ?? near);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export interface LaunchOptions {
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly cluster: string;
  /** Folder of the socket of the server before, which clients know. */
  readonly folder: string | null;
  /** Is told when a server that was begun here ends. */
  readonly onExit: () => void;
  readonly calledOff: AbortSignal;
}

/** A server that accepts connections, begun here or by another process. */
export interface Served {
  readonly running: Running;
  readonly own: boolean;
  /** Whether its process lives; a server begun here is known also where its files were moved or removed. */
  lives(): boolean;
}

export function servedByOther(running: Running, cluster: string): Served {
  return { running, own: false, lives: () => stillRuns(running.pid, cluster) };
}

/**
 * Begins a server and waits until it accepts connections, or until another process's server is found to have come up
 * in the meantime.
 */
export async function launch(options: LaunchOptions): Promise<Served> {
  const { identity, cluster, calledOff } = options;
  const folder = socketFolder(cluster, options.folder);
  if (identity.owner !== null) chownSync(folder, identity.owner.uid, identity.owner.gid);
  dropLock(join(folder, `${SOCKET_NAME}.lock`), cluster);
  const logPath = `${cluster}.log`;
  if (existsSync(logPath) && statSync(logPath).size > LOG_FILE_LIMIT) renameSync(logPath, `${logPath}.1`);
  const deadline = performance.now() + START_TIMEOUT_MS;
  let server = spawnServer(options, folder);
  while (performance.now() < deadline && !calledOff.aborted) {
    const state = await lookAt(cluster);
    if (typeof state === "object") {
      const { pid, failure } = server;
      if (state.pid === pid) return { running: state, own: true, lives: () => failure() === null };
      if (state.connection.host !== folder) removeSocketFolder(folder);
      return servedByOther(state, cluster);
    }
    const failure = server.failure();
    if (failure !== null && state === "none") {
      const report = endOfLog(logPath);
      // Sessions of a killed server that still compute hold its memory for a while.
      if (!/is still in use/.test(report)) {
        removeSocketFolder(folder);
        throw new Error(`embedded Postgres ${failure}; its log ends:\n${report}`);
      }
      await sleep(250);
      server = spawnServer(options, folder);
    }
    await sleep(20);
  }
  if (calledOff.aborted) await server.end();
  calledOff.throwIfAborted();
  throw new Error(`embedded Postgres was not ready in ${START_TIMEOUT_MS} ms:\n${endOfLog(logPath)}`);
}

interface Spawned {
  readonly pid: number;
  /** Why it ended, once it has. */
  failure(): string | null;
  /** Ends it, whatever it is at. */
  end(): Promise<void>;
}

function spawnServer({ binaries, identity, cluster, onExit }: LaunchOptions, folder: string): Spawned {
  const settings = ["listen_addresses=", "timezone=UTC", "log_timezone=UTC", "max_connections=100"];
  const [command, ...args] = [
    ...identity.prefix,
    binaries.postgres,
    "-D",
    cluster,
    "-k",
    folder,
    "-p",
    String(SOCKET_PORT),
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
  const logFile = openSync(`${cluster}.log`, "a");
  const server = spawn(command, args, {
    ...identity.owner,
    cwd: cluster,
    env: environment(binaries),
    // Its own process group: an interrupt typed at the terminal is for this process, which stops it in turn.
    detached: true,
    stdio: ["ignore", logFile, logFile],
  });
  closeSync(logFile);
  let failure: string | null = null;
  server.once("error", (error) => {
    failure = error.message;
  });
  server.once("exit", (code, signal) => {
    failure = `exited with ${code ?? signal}`;
    onExit();
  });
  server.unref();
  return {
    pid: server.pid ?? 0,
    failure: () => failure,
    async end() {
      for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
        if (failure === null) server.kill(signal);
        const deadline = performance.now() + END_TIMEOUT_MS;
        while (failure === null && performance.now() < deadline) await sleep(10);
      }
    },
  };
}

/** What the programs see of the environment, which holds secrets: nothing of it. */
export function environment(binaries: Binaries): NodeJS.ProcessEnv {
  return { PATH: PROGRAM_PATH, ...binaries.environment, LC_ALL: "C", TZ: "UTC" };
}

function endOfLog(path: string): string {
  return existsSync(path)
    ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-5).join("\n")
    : "(no log)";
}

/**
 * The server that runs on this cluster, if one does; one that is starting, recovering or stopping is waited for.
 * @throws when it lives but accepts no connections, and when the search is called off.
 */
export async function findSurvivor(cluster: string, calledOff: AbortSignal): Promise<Running | null> {
  const started = performance.now();
  for (;;) {
    const state = await lookAt(cluster);
    if (state === "none") return null;
    if (typeof state === "object") return state;
    const waited = performance.now() - started;
    if (state === "unreadable" && waited > UNREADABLE_LIMIT_MS) removeLock(cluster);
    if (waited > START_TIMEOUT_MS) {
      throw new Error(`a Postgres runs on ${cluster} but accepted no connection in ${START_TIMEOUT_MS} ms`);
    }
    await sleep(50, calledOff);
    calledOff.throwIfAborted();
  }
}
