import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { isoTime, type RouteGroup, routeGroup } from "../../platform/http.js";
import {
  keySchema,
  newKeyBody,
  newUserBody,
  principalSchema,
  profileBody,
  profileSchema,
  tokenSchema,
  userIdSchema,
} from "./schema.js";
import type { StoredKey, StoredUser } from "./store.js";
import type { Users } from "./users.js";

export function userRoutes(app: FastifyInstance, { users }: { users: Users }): void {
  const routes = routeGroup(app, { tag: "Access", access: "viewer", perMinute: 30 });
  tokenRoutes(routes, users);
  keyRoutes(routes, users);

  routes.post("/api/users", {
    id: "saveUser",
    summary: "Create a user or change a role",
    access: "admin",
    body: newUserBody,
    answer: { data: newUserBody },
    status: 201,
    async handle({ body }) {
      await users.createUser(body.user_id, body.role);
      return { data: body };
    },
  });

  routes.post("/api/save-profile", {
    id: "saveProfile",
    summary: "Save the caller's profile",
    description:
      "Administrators may name another user. Fields left out stay as they are; null takes one away.",
    body: profileBody,
    answer: { data: profileSchema },
    async handle({ body, principal, request }) {
      const named = body.user_id ?? request.headers["x-user-id"];
      const userId = named === undefined ? principal.userId : userIdSchema.safeParse(named).data;
      if (userId === undefined) throw new AppError("invalid_request", "X-User-Id is not a user id");
      const saved = await users.saveProfile(principal, userId, {
        email: body.email,
        displayName: body.display_name,
        avatarUrl: body.avatar_url,
        preferences: body.preferences,
      });
      return { data: profileView(saved) };
    },
  });
}

function tokenRoutes(routes: RouteGroup, users: Users): void {
  routes.get("/api/auth/me", {
    id: "getPrincipal",
    summary: "Who the server takes the caller for",
    answer: { data: principalSchema },
    handle: ({ principal: { userId, role, anonymous } }) => ({ data: { user_id: userId, role, anonymous } }),
  });
  routes.post("/api/auth/token", {
    id: "createToken",
    summary: "A bearer token for 15 minutes, in exchange for an API key",
    answer: { data: tokenSchema },
    status: 201,
    async handle({ principal }) {
      const { token, expiresAt } = await users.issueToken(principal, "api");
      return { data: { token, expires_at: isoTime(expiresAt), token_type: "Bearer" as const } };
    },
  });
  routes.post("/api/auth/ws-ticket", {
    id: "createSocketTicket",
    summary: "A ticket that opens one WebSocket within 30 s",
    answer: { data: tokenSchema.omit({ token_type: true }) },
    status: 201,
    async handle({ principal }) {
      const { token, expiresAt } = await users.issueToken(principal, "socket");
      return { data: { token, expires_at: isoTime(expiresAt) } };
    },
  });
}

function keyRoutes(routes: RouteGroup, users: Users): void {
  routes.get("/api/auth/keys", {
    id: "listApiKeys",
    summary: "The caller's API keys",
    query: z.strictObject({
      user_id: userIdSchema.optional().describe("Another user's keys: administrators only"),
    }),
    answer: { data: z.array(keySchema) },
    async handle({ query: { user_id }, principal }) {
      const keys = await users.listKeys(principal, user_id ?? principal.userId);
      return { data: keys.map(keyView) };
    },
  });
  routes.post("/api/auth/keys", {
    id: "createApiKey",
    summary: "Make an API key; it is shown this once",
    perMinute: 10,
    body: newKeyBody,
    answer: { data: keySchema.extend({ key: z.string() }) },
    status: 201,
    errors: ["user_not_found"],
    async handle({ body, principal }) {
      const { name, user_id = principal.userId, expires_at = null } = body;
      const { key, stored } = await users.createKey(principal, user_id, name, expires_at);
      return { data: { ...keyView(stored), key } };
    },
  });
  routes.delete("/api/auth/keys/:id", {
    id: "revokeApiKey",
    summary: "Revoke one of the caller's API keys; it stops working within a second",
    description: "Administrators may revoke any.",
    params: z.strictObject({ id: z.uuid() }),
    answer: { message: z.string() },
    errors: ["api_key_not_found"],
    async handle({ params, principal }) {
      await users.revokeKey(principal, params.id);
      return { message: "The key is revoked" };
    },
  });
}

function keyView(key: StoredKey): z.input<typeof keySchema> {
  return {
    id: key.id,
    name: key.name,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}

function profileView(user: StoredUser): z.input<typeof profileSchema> {
  const { id, role, email, displayName, avatarUrl, preferences } = user;
  return { user_id: id, role, email, display_name: displayName, avatar_url: avatarUrl, preferences };
}
