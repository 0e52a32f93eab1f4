import { z } from "zod";
import type { Settings } from "../../platform/settings.js";

/** How the scanner runs. */
export interface ScannerConfig {
  readonly active: boolean;
  readonly symbols: readonly string[];
  readonly intervalS: number;
  readonly autoAlerts: boolean;
  /** When it was started and stopped last, epoch ms. */
  readonly startedAt: number | null;
  readonly stoppedAt: number | null;
}

/**
 * What users changed of the configured defaults; kept in the database, so that it is the same for all instances
 * and after a restart, and so that a default nobody touched still follows the environment.
 */
const overridesSchema = z.object({
  active: z.boolean().optional(),
  symbols: z.array(z.string()).readonly().optional(),
  intervalS: z.number().optional(),
  autoAlerts: z.boolean().optional(),
  startedAt: z.number().nullable().optional(),
  stoppedAt: z.number().nullable().optional(),
});
type Overrides = z.output<typeof overridesSchema>;

export interface ConfigStore {
  /** As known here; another instance's change is seen with the next `refresh`. */
  current(): ScannerConfig;
  refresh(): Promise<ScannerConfig>;
  /** Concurrent changes come one after the other. What `next` throws leaves everything as it was. */
  change(next: (current: ScannerConfig) => Overrides): Promise<ScannerConfig>;
}

const SETTING = "scanner.config";

/** @param onChange is told what stands each time it has been read or changed. */
export function createConfigStore(
  settings: Settings,
  defaults: ScannerConfig,
  onChange: (config: ScannerConfig) => void,
): ConfigStore {
  let config = defaults;

  function merged(overrides: Overrides): ScannerConfig {
    const set = Object.entries(overrides).filter(([, value]) => value !== undefined);
    return { ...defaults, ...Object.fromEntries(set) };
  }
  function apply(overrides: Overrides): ScannerConfig {
    config = merged(overrides);
    onChange(config);
    return config;
  }
  const update = (next: (known: Overrides) => Overrides) =>
    settings.update(SETTING, overridesSchema, {}, next);

  return {
    current: () => config,
    async refresh() {
      const overrides = (await settings.load(SETTING, overridesSchema)) ?? {};
      if (overrides.startedAt !== undefined || !defaults.active) return apply(overrides);
      // Active by default: all instances tell the same start.
      return apply(await update((known) => ({ startedAt: defaults.startedAt, ...known })));
    },
    change: async (next) => apply(await update((known) => ({ ...known, ...next(merged(known)) }))),
  };
}
