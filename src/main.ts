import { once } from "node:events";
import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { type App, buildApp } from "./app.js";
import { compose } from "./compose.js";
import { closeAll } from "./platform/closing.js";
import { type Config, ConfigError, readConfig, secretsOf } from "./platform/config.js";
import { messageOf } from "./platform/errors.js";
import { createLog, createScrubber, type Log } from "./platform/log.js";
import { createWaitingRoom } from "./server/waiting-room.js";

const EXIT_FAILURE = 1;
const EXIT_CONFIG = 2;
/** Supervisors kill ten seconds after they asked. */
const STOP_LIMIT_MS = 9_000;
/** After a bug, the program saves what it can and is started again by whoever supervises it. */
const CRASH_LIMIT_MS = 2_000;

/** Interrupts after which the program ends without closing anything. */
const INTERRUPTS_TO_EXIT = 3;

type Program = Awaited<ReturnType<typeof compose>>;
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

/**
 * Opens everything, and closes what was opened when a later step fails.
 * @param calledOff ends the wait for a database; nothing is left to stop then.
 */
async function start(
  config: Config,
  log: Log,
  scrub: (text: string) => string,
  calledOff: AbortSignal,
): Promise<Stop> {
  const room = createWaitingRoom(async (server) => {
    await listen((where) => once(server.listen(where), "listening"), config);
    const { HOST: host, PORT: port } = config;
    log.info({ host, port }, "TX waits for its database and answers 503");
  });
  const wait = { onReason: room.wait, calledOff };
  try {
    const program = await compose({ config, log, scrub, wait });
    return await serve(program, () => room.close());
  } catch (error) {
    if (calledOff.aborted && error === calledOff.reason) return async () => undefined;
    throw error;
  } finally {
    await room.close();
  }
}

/** Builds the server over what was opened. @param makeRoom frees its address. */
async function serve(program: Program, makeRoom: () => Promise<void>): Promise<Stop> {
  const { config, log } = program;
  let app: App | null = null;
  const stop = () =>
    closeAll(log, {
      "loops and connections": () => Promise.all([program.stopLoops(), app?.close()]),
      storage: program.close,
    });
  try {
    app = await buildApp(program);
    const { server } = app;
    await program.startEvents();
    await makeRoom();
    const address = await listen((where) => server.listen(where), config);
    program.startLoops();
    const synthetic = config.MARKET_DATA.includes("synthetic");
    const facts = {
      address,
      docs: `${address}/docs`,
      marketData: config.MARKET_DATA,
      synthetic,
      role: config.ROLE,
    };
    log.info(facts, "TX is listening");
    if (synthetic) log.warn("all prices are synthetic and labelled so; set MARKET_DATA for real ones");
    return stop;
  } catch (error) {
    await stop().catch(() => log.error("what was opened did not close"));
    throw error;
  }
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: stop what listens there, or set PORT",
  EACCES: "is not for this user: set PORT above 1023",
  EADDRNOTAVAIL: "is no address of this machine: set HOST",
  ENOTFOUND: "has no address: set HOST",
};

interface Place {
  readonly host: string;
  readonly port: number;
}

/** @throws with what can be done about an address that cannot be had. */
async function listen<T>(on: (place: Place) => Promise<T>, config: Config): Promise<T> {
  const { HOST: host, PORT: port } = config;
  try {
    return await on({ host, port });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const problem = LISTEN_PROBLEMS[code];
    throw problem === undefined ? error : new Error(`${host}:${port} ${problem}`, { cause: error });
  }
}

/**
 * Stops on the first signal, once the start is over. Further ones change nothing, since supervisors and terminals
 * send them to a whole group of processes, each of which may pass them on; only who interrupts again and again
 * has it end at once. A crash does not wait for long.
 */
function stopOnSignals(starting: Promise<Stop>, callOff: () => void, log: Log): void {
  let stopping = false;
  let interrupts = 0;
  let outcome = 0;

  async function stop(): Promise<void> {
    try {
      const stopProgram = await starting;
      await stopProgram();
      log.info("stopped");
    } catch (error) {
      log.fatal({ err: error }, "did not stop cleanly");
      outcome = EXIT_FAILURE;
    }
    process.exit(outcome);
  }
  function stopWithin(limitMs: number): void {
    setTimeout(() => {
      log.fatal({ limitMs }, "did not stop in time");
      process.exit(EXIT_FAILURE);
    }, limitMs).unref();
    if (stopping) return;
    stopping = true;
    callOff();
    void stop();
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (signal === "SIGINT") interrupts++;
      if (interrupts >= INTERRUPTS_TO_EXIT) {
        log.fatal({ interrupts }, "exits at once, as insisted on");
        process.exit(EXIT_FAILURE);
      }
      if (stopping) return log.info({ signal }, "already stopping");
      log.info({ signal }, "stopping");
      stopWithin(STOP_LIMIT_MS);
    });
  }
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error, event }, "the program has a bug and stops");
      outcome = EXIT_FAILURE;
      stopWithin(CRASH_LIMIT_MS);
    });
  }
}

const config = readEnvironment();
const scrub = createScrubber(secretsOf(config));
const structured = config.STRUCTURED_LOGS ?? !process.stdout.isTTY;
const log = createLog({ level: config.LOG_LEVEL, structured, scrub });
const calledOff = new AbortController();
const starting = start(config, log, scrub, calledOff.signal);
stopOnSignals(starting, () => calledOff.abort(), log);
try {
  await starting;
} catch (error) {
  log.fatal({ err: error, reason: messageOf(error) }, "TX could not start");
  process.exit(EXIT_FAILURE);
}
