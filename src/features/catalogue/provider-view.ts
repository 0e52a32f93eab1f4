import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import type { ProviderHealth } from "../../providers/guard.js";
import type { StreamHealth } from "../../providers/stream-client.js";
import type { providerHealthSchema } from "./schema.js";
import { streamHealthView, streamsOf } from "./stream-view.js";

type View = z.input<typeof providerHealthSchema>;

const ABSENT: Omit<View, "streams"> = {
  configured: false,
  ok: false,
  latency_ms: null,
  error: "not configured",
  synthetic: false,
  last_success: null,
  last_error: null,
  last_error_at: null,
  breaker: "closed",
  aside_until: null,
  aside_reason: null,
  quota: null,
  requests: 0,
  failures: 0,
};

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

/** How sources are. @param names those that are told of: without it, those in use and those with streams. */
export function providerHealthViews(
  health: readonly ProviderHealth[],
  streams: readonly StreamHealth[],
  nowMs: number,
  names?: readonly string[],
): Record<string, View> {
  const known = new Map(health.map((provider) => [provider.name, provider]));
  const vendors = streams.map(({ name }) => name.split("-")[0]);
  const told = names ?? [...new Set([...known.keys(), ...vendors])];
  return Object.fromEntries(
    told.map((name) => {
      const own = streamsOf(streams, name).map((stream) => streamHealthView(stream, nowMs));
      return [name, { ...providerHealthView(known.get(name)), streams: own }];
    }),
  );
}

function providerHealthView(provider: ProviderHealth | undefined): Omit<View, "streams"> {
  if (provider === undefined) return ABSENT;
  const { quota } = provider;
  const error = errorOf(provider);
  return {
    configured: true,
    ok: error === null,
    latency_ms: error === null ? provider.latencyMs : null,
    error,
    synthetic: provider.synthetic,
    last_success: timeOf(provider.lastSuccessAt),
    last_error: provider.lastError,
    last_error_at: timeOf(provider.lastErrorAt),
    breaker: provider.breaker,
    aside_until: timeOf(provider.asideUntil),
    aside_reason: provider.asideReason,
    quota:
      quota === null
        ? null
        : {
            per_minute: quota.perMinute,
            per_day: quota.perDay,
            used_today: quota.usedToday,
            left_today: quota.leftToday,
            returns_at: timeOf(quota.returnsAt),
          },
    requests: provider.requests,
    failures: provider.failures,
  };
}

/** Why a source is not well, or not asked; null when it is. */
function errorOf({ ok, lastError, asideReason, asideUntil }: ProviderHealth): string | null {
  if (asideUntil !== null && asideReason === "budget") {
    return `its budget of calls is used until ${isoTime(asideUntil)}`;
  }
  if (asideUntil !== null) return lastError ?? "set aside";
  if (ok === true) return null;
  return ok === null ? "not asked yet" : lastError;
}
