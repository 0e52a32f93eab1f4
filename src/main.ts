import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { type App, buildApp } from "./app.js";
import { compose } from "./compose.js";
import { type Config, ConfigError, readConfig, secretsOf } from "./platform/config.js";
import { messageOf } from "./platform/errors.js";
import { createLog, createScrubber, type Log } from "./platform/log.js";

const EXIT_FAILURE = 1;
const EXIT_CONFIG = 2;
/** Supervisors kill ten seconds after they asked. */
const STOP_LIMIT_MS = 9_000;
/** After a bug, the program saves what it can and is started again by whoever supervises it. */
const CRASH_LIMIT_MS = 2_000;

type Stop = () => Promise<void>;

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

/** Opens everything, and closes what was opened when a later step fails. */
async function start(config: Config, log: Log, scrub: (text: string) => string): Promise<Stop> {
  const program = await compose({ config, log, scrub });
  let app: App | null = null;
  async function stop(): Promise<void> {
    await Promise.all([program.stopLoops(), app?.close()]);
    await program.close();
  }
  try {
    app = await buildApp(program);
    await program.startEvents();
    const address = await listen(app, config);
    program.startLoops();
    const synthetic = config.MARKET_DATA.includes("synthetic");
    const facts = { address, docs: `${address}/docs`, marketData: config.MARKET_DATA, synthetic };
    log.info(facts, "TX is listening");
    if (synthetic) log.warn("all prices are synthetic and labelled so; set MARKET_DATA for real ones");
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: stop what listens there, or set PORT",
  EACCES: "is not for this user: set PORT above 1023",
  EADDRNOTAVAIL: "is no address of this machine: set HOST",
  ENOTFOUND: "has no address: set HOST",
};

async function listen({ server }: App, { HOST: host, PORT: port }: Config): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const problem = LISTEN_PROBLEMS[code];
    throw problem === undefined ? error : new Error(`${host}:${port} ${problem}`, { cause: error });
  }
}

/** Stops on the first signal, once the start is over; a second signal, or a crash, does not wait. */
function stopOnSignals(starting: Promise<Stop>, log: Log): void {
  let stopping = false;
  async function stop(code: number, limitMs: number): Promise<void> {
    if (stopping) process.exit(EXIT_FAILURE);
    stopping = true;
    setTimeout(() => {
      log.fatal({ limitMs }, "did not stop in time");
      process.exit(EXIT_FAILURE);
    }, limitMs).unref();
    try {
      const stopProgram = await starting;
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
      void stop(0, STOP_LIMIT_MS);
    });
  }
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error, event }, "the program has a bug and stops");
      void stop(EXIT_FAILURE, CRASH_LIMIT_MS);
    });
  }
}

const config = readEnvironment();
const scrub = createScrubber(secretsOf(config));
const structured = config.STRUCTURED_LOGS ?? !process.stdout.isTTY;
const log = createLog({ level: config.LOG_LEVEL, structured, scrub });
const starting = start(config, log, scrub);
stopOnSignals(starting, log);
try {
  await starting;
} catch (error) {
  log.fatal({ err: error, reason: messageOf(error) }, "TX could not start");
  process.exit(EXIT_FAILURE);
}
