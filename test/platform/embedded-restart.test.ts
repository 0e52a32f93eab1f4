import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type EmbeddedDatabase, startEmbeddedPostgres } from "../../src/platform/embedded-postgres.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { temporaryFolder } from "../fixtures/folders.js";
import { createRecordedLog } from "../fixtures/log.js";
import {
  ask,
  isRunning,
  kept,
  postmasterOf,
  readOfProcess,
  startEmbeddedChild,
  startServer,
  useCluster,
} from "../fixtures/own-postgres.js";

expectNothingUnhandled();

const copyOfCluster = useCluster();

describe("a server that is killed", () => {
  /** Servers of a cluster; their sessions have other titles. */
  function serversOf(folder: string): number[] {
    const cluster = join(folder, "postgres");
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        const words = readOfProcess(Number(name), "cmdline").split("\0");
        return words.includes(cluster) && words.includes("-D") && isRunning(Number(name));
      })
      .map(Number);
  }

  function kill(folder: string): number {
    const pid = postmasterOf(folder) ?? 0;
    process.kill(pid, "SIGKILL");
    return pid;
  }

  const serves = (embedded: Pick<EmbeddedDatabase, "connection">) => async () =>
    (await timed(() => kept(embedded))).error === null;

  it("is started again, on the same socket, with what was committed", async () => {
    const folder = copyOfCluster();
    const recorded = createRecordedLog();
    const embedded = ensure(await startEmbeddedPostgres(folder, recorded.log), "embedded Postgres");
    onTestFinished(() => embedded.stop());
    const faults: (string | null)[] = [];
    embedded.onFault((reason) => faults.push(reason));
    await ask(embedded.connection, "update kept set value = 8");
    const killed = kill(folder);
    const { ms } = await timed(() => eventually("the next server", serves(embedded), 30_000));
    process.stdout.write(`kill -9 of the embedded server until it answers: ${Math.round(ms)} ms\n`);
    expect(await kept(embedded)).toEqual([{ value: 8 }]);
    expect(postmasterOf(folder)).not.toBe(killed);
    // A process that the server just made looks like the server until it has a title of its own.
    await eventually("one server", () => serversOf(folder).length === 1);
    expect(serversOf(folder)).toEqual([postmasterOf(folder)]);
    await eventually("the end of the fault", () => faults.at(-1) === null);
    expect(faults[0]).toContain("its process ended");
    const said = recorded.lines().map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(said).toContain("embedded Postgres ended; starting it again");
    expect(said).toContain("embedded Postgres serves again");
    await embedded.stop();
    expect(serversOf(folder)).toEqual([]);
  });

  it("is started again when it had been taken over", async () => {
    const folder = copyOfCluster();
    const child = await startEmbeddedChild(folder);
    await child.kill();
    const embedded = await startServer(folder);
    expect(embedded.adopted).toBe(true);
    kill(folder);
    await eventually("the next server", serves(embedded), 30_000);
    // One that could not start, for the other's was still ending, may be ending itself.
    await eventually("one server", () => `${serversOf(folder)}` === `${postmasterOf(folder)}`, 10_000);
  });

  it("is followed by one server for all processes that use it, again and again", async () => {
    const folder = copyOfCluster();
    const [embedded, child] = [await startServer(folder), await startEmbeddedChild(folder)];
    for (let round = 0; round < 3; round++) {
      const killed = kill(folder);
      const next = () => ![killed, null].includes(postmasterOf(folder));
      await eventually("the next server", async () => next() && (await serves(embedded)()), 30_000);
      expect(await kept(child.embedded)).toEqual([{ value: 7 }]);
      // The one that came second sees the lock of the first, and ends.
      await eventually("a single server", () => `${serversOf(folder)}` === `${postmasterOf(folder)}`, 10_000);
    }
    await child.stop();
  });

  it("stays stopped when the stop comes while it is started again", async () => {
    const folder = copyOfCluster();
    for (const waitMs of [0, 20, 60, 150]) {
      const embedded = await startServer(folder);
      kill(folder);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await embedded.stop();
      expect(serversOf(folder)).toEqual([]);
    }
    expect(await kept(await startServer(folder))).toEqual([{ value: 7 }]);
  });

  it("with a path too long for a socket is found where it was", async () => {
    const folder = join(temporaryFolder(), "x".repeat(60), "y".repeat(60));
    const embedded = await startServer(folder);
    await ask(embedded.connection, "create table kept as select 7 as value");
    kill(folder);
    await eventually("the next server", serves(embedded), 30_000);
    expect(await kept(embedded)).toEqual([{ value: 7 }]);
  });
});

describe("a cluster that is deleted under its server", () => {
  it("is a fault with a reason, never an empty cluster in its place, and leaves no server behind", async () => {
    const folder = copyOfCluster();
    const embedded = await startServer(folder);
    const pid = postmasterOf(folder) ?? 0;
    const faults: (string | null)[] = [];
    embedded.onFault((reason) => faults.push(reason));
    rmSync(join(folder, "postgres"), { recursive: true });
    await eventually("the fault", () => faults.length > 0);
    expect(faults[0]).toContain("the cluster is gone from");
    await embedded.stop();
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(folder, "postgres"))).toBe(false);
  });

  it("is served again when it is put back", async () => {
    const folder = copyOfCluster();
    const embedded = await startServer(folder);
    const faults: (string | null)[] = [];
    embedded.onFault((reason) => faults.push(reason));
    renameSync(join(folder, "postgres"), join(folder, "aside"));
    await eventually("the fault", () => faults.length > 0);
    renameSync(join(folder, "aside"), join(folder, "postgres"));
    await eventually("the end of the fault", () => faults.at(-1) === null, 15_000);
    expect(await kept(embedded)).toEqual([{ value: 7 }]);
  });

  it("in its lock file alone gets no second server beside the first", async () => {
    const folder = copyOfCluster();
    const embedded = await startServer(folder);
    const pid = postmasterOf(folder) ?? 0;
    rmSync(join(folder, "postgres", "postmaster.pid"));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(isRunning(pid)).toBe(true);
    expect(postmasterOf(folder)).toBeNull();
    await embedded.stop();
    expect(isRunning(pid)).toBe(false);
  });
});
