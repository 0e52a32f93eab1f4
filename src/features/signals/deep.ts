import { WINDOW_BARS } from "../../core/learning/sequence-net/columns.js";
import type { SequenceNet } from "../../core/learning/sequence-net/net.js";
import {
  type BarReader,
  createBarReader,
  deepLayer,
  type WindowReading,
} from "../../core/learning/sequence-net/reading.js";
import type { Bars } from "../../core/market/candles.js";
import type { LayerInput } from "../../core/signals/fuse.js";
import type { OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import { deepPurpose, type ModelVersion } from "../models/store.js";
import { unreadableOf } from "../models/unreadable.js";

/** What the net that serves says of the newest bar of an interval. */
export interface DeepSaid {
  readonly layer: LayerInput;
  /** Null while no net serves. */
  readonly version: string | null;
  /** Id of that version. */
  readonly netId: number | null;
  /** Null while no net serves, or where the bar has no window. */
  readonly reading: WindowReading | null;
}

/** Net that serves, with its version. */
export interface ServingNet {
  readonly version: ModelVersion;
  readonly net: SequenceNet;
}

export interface DeepLook {
  /** Reads the window that ends at the newest bar: a fifth of a millisecond. @param madeByMs leaves out a later net. */
  say(bars: Bars, madeByMs?: number): DeepSaid;
  /** Null while none serves. */
  serving(): ServingNet | null;
  /** Why none serves: none was promoted, or the one that was cannot be read. */
  absence(): { readonly reason: string; readonly code: "no_model" | "model_refused" };
}

const PURPOSE = deepPurpose("sequence_net");
const NO_NET = "no sequence net has been promoted";
const silent = (reason: string): DeepSaid => ({
  layer: { value: null, reason },
  version: null,
  netId: null,
  reading: null,
});
const MADE_LATER = silent("the sequence net that serves was made later");

export function createDeepLook(registry: Pick<Registry<OpenModel>, "serving" | "refused">): DeepLook {
  let known: { readonly net: SequenceNet; readonly read: BarReader } | null = null;

  function serving(): ServingNet | null {
    const open = registry.serving(PURPOSE);
    if (open === null || open.opened.learner !== "sequence_net") return null;
    return { version: open.version, net: open.opened.model };
  }

  function absence() {
    const unreadable = unreadableOf(registry.refused(), PURPOSE);
    return unreadable === null
      ? ({ reason: NO_NET, code: "no_model" } as const)
      : ({ reason: unreadable, code: "model_refused" } as const);
  }

  return {
    serving,
    absence,
    say(bars, madeByMs = Number.POSITIVE_INFINITY) {
      const found = serving();
      if (found === null) return silent(absence().reason);
      if (found.version.createdAtMs > madeByMs) return MADE_LATER;
      if (known?.net !== found.net) known = { net: found.net, read: createBarReader(found.net) };
      const reading = bars.close.length < WINDOW_BARS ? null : known.read(bars, bars.close.length - 1);
      return { layer: deepLayer(reading), version: found.version.version, netId: found.version.id, reading };
    },
  };
}
