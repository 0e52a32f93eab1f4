import { INTERVALS, type Interval } from "../../core/market/interval.js";
import { fuseLayers, LAYERS, type LayerName } from "../../core/signals/fuse.js";
import { AppError } from "../../platform/errors.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import { chanceOf } from "../models/layers.js";
import type { Signals } from "../signals/signals.js";
import type { LayerStore } from "./layer-store.js";

const LEASE = "alert layers";
const LEASE_MS = 30_000;
const EVERY_MS = 10_000;
const TIMEOUT_MS = 60_000;
/** Alerts that are read in one pass. */
const MOST = 20;

/** Reads all layers of each alert soon after it was raised, as of the close of its bar, and keeps that. */
export function createLayerLoop(options: {
  readonly store: LayerStore;
  readonly signals: Pick<Signals, "readAsOf">;
  readonly leases: Pick<Leases, "acquire">;
  readonly log: Log;
}): LoopDefinition {
  const { store, signals, leases, log } = options;
  return {
    name: LEASE,
    everyMs: () => EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    async run(_nowMs, signal) {
      if ((await leases.acquire(LEASE, LEASE_MS)) === null) return;
      for (const alert of await store.bare(MOST)) {
        signal.throwIfAborted();
        const interval = INTERVALS.find((each): each is Interval => each === alert.interval);
        if (interval === undefined) continue;
        try {
          const { closedAtMs, madeByMs } = alert;
          const asOf = { closedByMs: closedAtMs, madeByMs };
          const { inputs, weighing, main } = await signals.readAsOf(alert.symbol, interval, asOf);
          const { weights } = weighing;
          const fusion = fuseLayers(inputs, alert.direction, weights);
          const { value: chance, version: stackVersion } = chanceOf(weighing, fusion);
          const values = Object.fromEntries(
            LAYERS.map((name) => [name, inputs[name].value ?? Number.NaN]),
          ) as Record<LayerName, number>;
          const { id: alertId, direction } = alert;
          const { composite } = fusion;
          const said = { alertId, direction, values, composite, chance, stackVersion, weights };
          await store.save({ ...said, netId: main.deep.netId, asOfMs: closedAtMs });
        } catch (error) {
          if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
          log.debug({ alert: alert.id, reason: error.message }, "the layers of an alert could not be read");
        }
      }
    },
  };
}
