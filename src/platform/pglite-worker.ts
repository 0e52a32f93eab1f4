import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** Runs PGlite in a thread of its own and serves it on a unix socket; any message stops it. */
const { dataDir, socketPath } = workerData as { dataDir: string; socketPath: string };

const db = await PGlite.create({ dataDir });
const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 8 });
await server.start();
parentPort?.postMessage("ready");
parentPort?.once("message", () => {
  void stop();
});

async function stop(): Promise<void> {
  await server.stop();
  await db.close();
  parentPort?.postMessage("stopped");
  parentPort?.close();
}
