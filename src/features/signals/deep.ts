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

/** What the net that serves says of the newest bar of an interval. */
export interface DeepSaid {
  readonly layer: LayerInput;
  /** Null while no net serves. */
  readonly version: string | null;
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
}

export const NO_NET = "no sequence net has been promoted";
const NO_VERSION: DeepSaid = { layer: { value: null, reason: NO_NET }, version: null, reading: null };

const MADE_LATER: DeepSaid = {
  layer: { value: null, reason: "the sequence net that serves was made later" },
  version: null,
  reading: null,
};

export function createDeepLook(registry: Pick<Registry<OpenModel>, "serving">): DeepLook {
  let known: { readonly net: SequenceNet; readonly read: BarReader } | null = null;

  function serving(): ServingNet | null {
    const open = registry.serving(deepPurpose("sequence_net"));
    if (open === null || open.opened.learner !== "sequence_net") return null;
    return { version: open.version, net: open.opened.model };
  }

  return {
    serving,
    say(bars, madeByMs = Number.POSITIVE_INFINITY) {
      const found = serving();
      if (found === null) return NO_VERSION;
      if (found.version.createdAtMs > madeByMs) return MADE_LATER;
      if (known?.net !== found.net) known = { net: found.net, read: createBarReader(found.net) };
      const reading = bars.close.length < WINDOW_BARS ? null : known.read(bars, bars.close.length - 1);
      return { layer: deepLayer(reading), version: found.version.version, reading };
    },
  };
}
