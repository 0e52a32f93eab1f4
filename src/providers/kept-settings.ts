import { z } from "zod";
import type { Config } from "../platform/config.js";
import type { Settings } from "../platform/settings.js";
import type { Replay } from "./files.js";

/** A database keeps the synthetic market of one seed: prices of two would mix under one symbol. */
export async function requireSameSeed(
  { MARKET_DATA, SYNTHETIC_SEED: seed }: Config,
  settings: Settings,
): Promise<void> {
  if (!MARKET_DATA.includes("synthetic")) return;
  const kept = await settings.loadOrSave("synthetic.seed", z.number(), seed);
  if (kept === seed) return;
  const way = `set SYNTHETIC_SEED=${kept}, or another DATA_DIR or DATABASE_URL for the new market`;
  throw new Error(
    `SYNTHETIC_SEED is ${seed}, but this database holds the synthetic market of ${kept}: ${way}`,
  );
}

const replaySchema = z.object({ speed: z.number(), fromMs: z.number(), anchorMs: z.number() });

/** The replay that is configured. It goes on where it was after a restart, unless its settings changed. */
export async function loadReplay(
  config: Config,
  settings: Settings,
  now: () => number,
): Promise<Replay | null> {
  const { FILES_REPLAY_SPEED: speed, FILES_REPLAY_FROM: fromMs } = config;
  if (!config.MARKET_DATA.includes("files") || speed === 0) return null;
  if (fromMs === undefined) return null;
  return settings.loadOrSave(`files.replay ${speed} ${fromMs}`, replaySchema, {
    speed,
    fromMs,
    anchorMs: now(),
  });
}
