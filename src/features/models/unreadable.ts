import type { RefusedVersion } from "./registry.js";
import { nameOf, type Purpose } from "./store.js";

/** That the active version of a purpose cannot be read, and why; null where that is not so. */
export function unreadableOf(refused: readonly RefusedVersion[], purpose: Purpose): string | null {
  const name = nameOf(purpose);
  const own = refused.find((each) => nameOf(each.purpose) === name);
  return own === undefined ? null : toldOf(own);
}

export function toldOf({ purpose, reason }: RefusedVersion): string {
  return `the active version of ${nameOf(purpose)} cannot be read: ${reason}`;
}

export const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
