import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import { CALL_STATUSES, type HookCall } from "./call-store.js";
import type { NewHook } from "./hooks.js";
import type { callSchema, HookBody, HookChanges, hookSchema, newHookSchema } from "./schema.js";
import type { Hook, HookTerms } from "./store.js";

export function termsOf(body: HookBody): HookTerms {
  const { name, mode, symbols, sources, enabled } = body;
  return {
    ...{ name, mode, symbols, sources, enabled },
    accountId: body.account_id,
    maxOrderValue: body.max_order_value,
    maxOrdersADay: body.max_orders_a_day,
    perMinute: body.per_minute,
    dedupeMinutes: body.dedupe_minutes,
    maxAgeS: body.max_age_s,
  };
}

/** What is not said stays as it is. */
export function changesOf(body: HookChanges): Partial<HookTerms> {
  const { name, mode, symbols, sources, enabled } = body;
  const said = {
    ...{ name, mode, symbols, sources, enabled },
    accountId: body.account_id,
    maxOrderValue: body.max_order_value,
    maxOrdersADay: body.max_orders_a_day,
    perMinute: body.per_minute,
    dedupeMinutes: body.dedupe_minutes,
    maxAgeS: body.max_age_s,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

export function hookView(hook: Hook): z.input<typeof hookSchema> {
  const { id, name, mode, symbols, sources, enabled } = hook;
  return {
    ...{ id, name, mode, enabled },
    account_id: hook.accountId,
    symbols: [...symbols],
    max_order_value: hook.maxOrderValue,
    max_orders_a_day: hook.maxOrdersADay,
    sources: [...sources],
    per_minute: hook.perMinute,
    dedupe_minutes: hook.dedupeMinutes,
    max_age_s: hook.maxAgeS,
    created_at: isoTime(hook.createdAt),
    updated_at: isoTime(hook.updatedAt),
  };
}

export function newHookView({ hook, secret }: NewHook): z.input<typeof newHookSchema> {
  return { ...hookView(hook), secret, path: `/api/hooks/${secret}` };
}

export function callView(call: HookCall): z.input<typeof callSchema> {
  const { id, source, body, fields, problem, status, code, detail } = call;
  return {
    ...{ id, source, body, fields, problem, code, detail },
    status: CALL_STATUSES.find((each) => each === status) ?? "waiting",
    hook_id: call.hookId,
    received_at: isoTime(call.receivedAt),
    content_type: call.contentType,
    given_id: call.givenId,
    duplicate_of: call.duplicateOf,
    account_id: call.accountId,
    order_id: call.orderId,
    settled_at: call.settledAt === null ? null : isoTime(call.settledAt),
  };
}
