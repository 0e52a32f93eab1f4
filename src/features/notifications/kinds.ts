import { z } from "zod";
import type { Seal } from "../../platform/seal.js";
import type { ChannelKind, Target } from "./define.js";
import { CHANNELS } from "./index.js";
import type { Channel } from "./store.js";

const secretsSchema = z.record(z.string(), z.unknown());
const byKind = new Map<string, ChannelKind>(CHANNELS.map((row) => [row.kind, row]));

/** Channels between what they are, what is stored and what is shown of them. */
export interface Kinds {
  find(kind: string): ChannelKind | null;
  gapOf(kind: string): number;
  /** Parts a target into what may be shown and the rest, sealed. */
  close(kind: ChannelKind, target: Target): Pick<Channel, "settings" | "secrets">;
  /** @returns a text that says why, where it cannot be. */
  open(
    channel: Pick<Channel, "kind" | "settings" | "secrets">,
  ): { kind: ChannelKind; target: Target } | string;
}

export function createKinds(seal: Seal): Kinds {
  return {
    find: (kind) => byKind.get(kind) ?? null,
    gapOf: (kind) => byKind.get(kind)?.gapMs ?? 0,
    close({ secret }, target) {
      const fields = Object.entries(target);
      const settings = Object.fromEntries(fields.filter(([name]) => !secret.includes(name)));
      const secrets = Object.fromEntries(fields.filter(([name]) => secret.includes(name)));
      return { settings, secrets: seal.close(JSON.stringify(secrets)) };
    },
    open({ kind: name, settings, secrets }) {
      const kind = byKind.get(name);
      if (kind === undefined) return `there are no channels of kind ${name}`;
      const opened = seal.open(secrets);
      if (opened === null) return "its secrets were sealed under another SECRET_KEY: give its settings again";
      return { kind, target: { ...settings, ...secretsSchema.parse(JSON.parse(opened)) } };
    },
  };
}
