import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { buildApp } from "./app.js";
import { compose } from "./compose.js";
import { type Config, ConfigError, readConfig, secretsOf } from "./platform/config.js";
import { createLog, createScrubber, type Log } from "./platform/log.js";

const EXIT_FAILURE = 1;
const EXIT_CONFIG = 2;
/** After a bug, the program saves what it can and is started again by whoever supervises it. */
const CRASH_DRAIN_MS = 2_000;

function readEnvironment(): Config {
  if (existsSync(".env")) loadEnvFile(".env");
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
}

/** Stops on the first signal; a second one, or a crash, does not wait. */
function stopOnSignals(stopProgram: () => Promise<void>, log: Log): void {
  let stopping = false;
  async function stop(code: number): Promise<void> {
    if (stopping) process.exit(EXIT_FAILURE);
    stopping = true;
    try {
      await stopProgram();
      log.info("stopped");
      process.exit(code);
    } catch (error) {
      log.fatal({ err: error }, "did not stop cleanly");
      process.exit(EXIT_FAILURE);
    }
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      log.info({ signal }, "stopping");
      void stop(0);
    });
  }
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error, event }, "the program has a bug and stops");
      setTimeout(() => process.exit(EXIT_FAILURE), CRASH_DRAIN_MS).unref();
      void stop(EXIT_FAILURE);
    });
  }
}

const config = readEnvironment();
const scrub = createScrubber(secretsOf(config));
const structured = config.STRUCTURED_LOGS ?? !process.stdout.isTTY;
const log = createLog({ level: config.LOG_LEVEL, structured, scrub });
try {
  const program = await compose({ config, log, scrub });
  const app = await buildApp(program);
  stopOnSignals(async () => {
    await Promise.all([program.stopLoops(), app.close()]);
    await program.close();
  }, log);
  await program.startEvents();
  const address = await app.server.listen({ host: config.HOST, port: config.PORT });
  program.startLoops();
  const synthetic = config.MARKET_DATA.includes("synthetic");
  log.info(
    { address, docs: `${address}/docs`, marketData: config.MARKET_DATA, synthetic },
    "TX is listening",
  );
  if (synthetic) log.warn("all prices are synthetic and labelled so; set MARKET_DATA for real ones");
} catch (error) {
  log.fatal({ err: error }, "TX could not start");
  process.exit(EXIT_FAILURE);
}
