import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { BODY_LIMIT, secretIn } from "./body.js";
import type { Hooks } from "./hooks.js";
import { secretParams } from "./schema.js";
import type { Hook } from "./store.js";

export interface ReceivingOptions {
  readonly hooks: Pick<Hooks, "receive">;
  /**
   * Whose a secret is; null for nobody's. Those who guess are slowed, and nobody who knows one.
   * @throws {AppError} `rate_limited`.
   */
  readonly identify: (ip: string, secret: string) => Promise<Hook | null>;
  /** Counts a call of a hook. @returns for how many milliseconds it takes no more; null where it takes this one. */
  readonly count: (hook: Hook) => Promise<number | null>;
}

const TYPES = ["application/json", "text/plain"];
/** By address: all alerts of a service come from the same few. */
const PER_MINUTE = 1_200;

const ABOUT_BODY = "JSON, name=value pairs or any text, of 64 KB at most; in application/json or text/plain";
const anyBody = z.unknown().optional().describe(ABOUT_BODY);
const bodyWithSecret = z
  .unknown()
  .refine((body) => body !== undefined, "needs secret or passphrase")
  .describe(ABOUT_BODY);
const answer = {
  data: z
    .object({ call_id: z.number().int(), status: z.literal("waiting") })
    .describe("What became of it is in its log"),
};
const errors = ["hook_not_found", "forbidden", "conflict", "hook_busy"] as const;

const ABOUT_ANSWERS =
  "Answered once it is kept, in a few milliseconds, and done in its turn. Beyond the limit of the hook the answer is 503, which senders " +
  "such as TradingView repeat, with Retry-After. Each call of a hook is in its log, whatever its answer was.";

/** Where others call, in a scope of its own: whatever is sent is kept as it came, also what is no JSON. */
export function receivingRoutes(app: FastifyInstance, options: ReceivingOptions): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<string>(TYPES, { parseAs: "string" }, (_request, body, parsed) =>
      parsed(null, body),
    );
    addRoutes(scope, options);
    done();
  });
}

function addRoutes(scope: FastifyInstance, { hooks, identify, count }: ReceivingOptions): void {
  const routes = routeGroup(scope, { tag: "Hooks", access: "open", perMinute: PER_MINUTE });

  async function take(request: FastifyRequest, secret: string, body: string) {
    const hook = await identify(request.ip, secret);
    if (hook === null) throw new AppError("hook_not_found", "There is no hook with this secret");
    const busyMs = await count(hook);
    const contentType = (request.headers["content-type"] ?? "").slice(0, 200);
    const id = await hooks.receive(hook, { secret, body, contentType, source: request.ip }, busyMs);
    return { data: { call_id: id, status: "waiting" as const } };
  }

  routes.post("/api/hooks", {
    id: "callHook",
    summary: "Call a hook by the secret in the body, as secret or passphrase",
    description: ABOUT_ANSWERS,
    body: bodyWithSecret,
    bodyLimit: BODY_LIMIT,
    status: 202,
    answer,
    errors,
    async handle({ body, request }) {
      const text = textOf(body);
      const secret = secretIn(text);
      if (secret === null) throw new AppError("invalid_request", "body: needs secret or passphrase");
      return take(request, secret, text);
    },
  });
  routes.post("/api/hooks/:secret", {
    id: "callHookBySecret",
    summary: "Call a hook by the secret in the address",
    description: ABOUT_ANSWERS,
    params: secretParams,
    body: anyBody,
    bodyLimit: BODY_LIMIT,
    status: 202,
    answer,
    errors,
    handle: ({ params, body, request }) => take(request, params.secret, textOf(body)),
  });
}

const textOf = (body: unknown) => (typeof body === "string" ? body : "");
