import { z } from "zod";
import { instantText } from "../../platform/http.js";

export const roleSchema = z.enum(["viewer", "trader", "admin"]);
export const userIdSchema = z.string().regex(/^[\w.@-]{1,64}$/, "must be 1 to 64 letters, digits, . _ @ -");

const PREFERENCES_LIMIT = 16_384;

export const profileBody = z.strictObject({
  user_id: userIdSchema.optional().describe("The caller's own unless given; also read from X-User-Id"),
  email: z.email().max(254).nullish().describe("Null takes it away"),
  display_name: z.string().min(1).max(100).nullish(),
  avatar_url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullish(),
  preferences: z
    .record(z.string().max(100), z.unknown())
    .refine((value) => JSON.stringify(value).length <= PREFERENCES_LIMIT, {
      message: `must be at most ${PREFERENCES_LIMIT} characters of JSON`,
    })
    .optional(),
});

export const profileSchema = z
  .object({
    user_id: z.string(),
    role: roleSchema,
    email: z.string().nullable(),
    display_name: z.string().nullable(),
    avatar_url: z.string().nullable(),
    preferences: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Profile" });

export const principalSchema = z
  .object({ user_id: z.string(), role: roleSchema, anonymous: z.boolean() })
  .meta({ id: "Principal" });

export const tokenSchema = z
  .object({ token: z.string(), expires_at: z.iso.datetime(), token_type: z.literal("Bearer") })
  .meta({ id: "Token" });

export const keySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().describe("Within a minute"),
  })
  .meta({ id: "ApiKey" });

export const newKeyBody = z.strictObject({
  name: z.string().min(1).max(100),
  user_id: userIdSchema.optional().describe("Another user's key: administrators only"),
  expires_at: instantText.optional(),
});

export const newUserBody = z.strictObject({ user_id: userIdSchema, role: roleSchema });
