// Adds operationId, tags and summary to the type of a route schema.
import type { IncomingHttpHeaders } from "node:http";
import type {} from "@fastify/swagger";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from "fastify";
import { z } from "zod";
import { parseInstant } from "./clock.js";
import { within } from "./deadline.js";
import { AppError, ERRORS, type ErrorCode } from "./errors.js";

export type Role = "viewer" | "trader" | "admin";

/** Who makes a request. */
export interface Principal {
  readonly userId: string;
  readonly role: Role;
  /** True for the one owner of a server on loopback, who needs no key. */
  readonly anonymous: boolean;
  /** The API key behind the request, if any. */
  readonly keyId?: string;
  /** When the credential ends, epoch ms; absent for those that do not. */
  readonly expiresAt?: number;
}

/** How a caller says who it is, where that differs from a bearer token or an API key in a header. */
export interface CredentialReader {
  /** The credential of a request; null without one, empty for one that cannot be. */
  read(request: FastifyRequest): string | null;
  /** Whether whom the credential stands for is who the request names beside it. */
  fits(request: FastifyRequest, principal: Principal): boolean;
}

declare module "fastify" {
  interface FastifyInstance {
    /** True when all market data come from the synthetic source; every answer then says so. */
    synthetic: boolean;
  }
  interface FastifyRequest {
    /** Set before validation; null for callers without valid credentials on open routes. */
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Least role, or `open` for everybody. */
    access?: Role | "open";
    /** Requests a minute and caller, before the configured multiplier; null for no limit. */
    perMinute?: number | null;
    credentials?: CredentialReader;
    /** Milliseconds within which there is an answer; ANSWER_WITHIN_MS unless given. */
    answerWithinMs?: number;
    /** Rows of the body are read one by one, and refused so, whatever they have in them. */
    rowByRow?: boolean;
  }
}

type Fields = Readonly<Record<string, z.ZodType>>;
type Output<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined;
type Body<F extends Fields> = { [K in keyof F]: z.input<F[K]> };

/** What the routes of a file share; each may differ in its own definition. */
export interface RouteDefaults {
  readonly tag: string;
  /** Least role, or `open` for everybody. */
  readonly access: Role | "open";
  /** Requests a minute and caller, before the configured multiplier; null for no limit. */
  readonly perMinute: number | null;
}

/** A route as data. Everything that is said here is validated, documented, limited and answered with. */
export interface Route<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
  F extends Fields,
> extends Partial<RouteDefaults> {
  /** Unique, camelCase: the name of the call in generated clients. */
  readonly id: string;
  /** Further paths of the same thing, each with an operation id of its own. */
  readonly aliases?: readonly { readonly path: string; readonly id: string }[];
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  /** Parameters that are not named here are refused. */
  readonly query?: Q;
  readonly body?: B;
  /** Fields beside `success:true`; existing clients read `data`, some also others. */
  readonly answer: F;
  /** Status of success, 200 unless given. */
  readonly status?: 200 | 201 | 202;
  /** Errors beyond those every route may answer with. */
  readonly errors?: readonly ErrorCode[];
  readonly bodyLimit?: number;
  /** For work whose size is the caller's: milliseconds within which there is an answer. */
  readonly answerWithinMs?: number;
  /** The body is rows, or has a list of them, which the route reads one by one: it alone refuses what no row can have in it. */
  readonly rowByRow?: boolean;
  handle(input: RouteInput<P, Q, B>): Promise<Body<F>> | Body<F>;
}

export interface RouteInput<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
> {
  readonly params: Output<P>;
  readonly query: Output<Q>;
  readonly body: Output<B>;
  /** The caller; on `open` routes a viewer without a user when there are no credentials. */
  readonly principal: Principal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** RFC 9457 problem details, with the fields that existing clients read beside them. */
export const problemSchema = z
  .object({
    type: z.string().describe("The code as a URN"),
    title: z.string().describe("The same for each occurrence of the code"),
    status: z.number().int(),
    detail: z.string().describe("What was wrong this time"),
    success: z.literal(false),
    error: z.string().describe("The same as detail"),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    requestId: z.string().describe("Leads to the log of the server"),
    problems: z
      .array(z.object({ path: z.string(), message: z.string(), code: z.string().optional() }))
      .optional()
      .describe("Each input that is not valid, or each reason of a refusal with its code"),
  })
  .meta({ id: "Problem" });

/** What a route that takes no body is sent: nothing, or an empty object from clients that always send one. */
export const NO_BODY = z.strictObject({}).optional();

/** Within this time every request has an answer, unless its route says otherwise. */
export const ANSWER_WITHIN_MS = 4_800;
/** What a handler does not wait for sources, for the rest of its work. */
const MARGIN_MS = 800;

export const NOBODY: Principal = Object.freeze({ userId: "nobody", role: "viewer", anonymous: true });

const ALWAYS: readonly ErrorCode[] = [
  "rate_limited",
  "internal",
  "overloaded",
  "timed_out",
  "shutting_down",
  "database_unavailable",
];

/** Which errors a route may answer with: those named, and those that follow from what it is. */
function errorsOf(
  method: Method,
  { access, params, errors }: AnyRoute & RouteDefaults,
): readonly ErrorCode[] {
  const follows: ErrorCode[] = ["invalid_request", "origin_refused"];
  if (access !== "open") follows.push("unauthenticated", "forbidden");
  if (params !== undefined) follows.push("uri_too_long");
  if (method !== "GET") follows.push("body_too_large", "unsupported_media_type");
  return [...new Set([...follows, ...(errors ?? []), ...ALWAYS])];
}

/** Responses of a status with their media type, as route schemas hold them. */
export interface ResponseContent {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** One response a status, its description naming the codes. */
export function problemResponses(codes: readonly ErrorCode[]): Record<number, ResponseContent> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, known]) => [
      status,
      {
        description: known.map((code) => `${code}: ${ERRORS[code].title}`).join("; "),
        content: { "application/problem+json": { schema: problemSchema } },
      },
    ]),
  );
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Registers one route and its aliases under the defaults of its group. */
type Add = <
  F extends Fields,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  path: string,
  route: Route<P, Q, B, F>,
) => void;

export interface RouteGroup {
  readonly get: Add;
  readonly post: Add;
  readonly put: Add;
  readonly patch: Add;
  readonly delete: Add;
}

export function routeGroup(app: FastifyInstance, defaults: RouteDefaults): RouteGroup {
  const adder =
    (method: Method): Add =>
    (path, route) => {
      const aliases = (route.aliases ?? []).map((alias) => ({ ...alias, of: path }));
      for (const target of [{ path, id: route.id, of: null }, ...aliases]) {
        const patienceMs = (route.answerWithinMs ?? ANSWER_WITHIN_MS) - MARGIN_MS;
        app.route({
          method,
          url: target.path,
          ...routeOptions(method, target, { ...defaults, ...route }),
          handler: async (request, reply) => {
            const input = {
              params: request.params as never,
              query: request.query as never,
              body: request.body as never,
              principal: request.principal ?? NOBODY,
              request,
              reply,
            };
            const fields = await within(patienceMs, async () => route.handle(input));
            // Whoever took too long was answered for by then, and is answered once.
            if (reply.sent) return reply;
            const label = app.synthetic ? { synthetic: true } : {};
            return reply.status(route.status ?? 200).send({ success: true, ...label, ...fields });
          },
        });
      }
    };
  return {
    get: adder("GET"),
    post: adder("POST"),
    put: adder("PUT"),
    patch: adder("PATCH"),
    delete: adder("DELETE"),
  };
}

const SYNTHETIC_LABEL = z
  .boolean()
  .optional()
  .describe(
    "True when the server trades a synthetic market, or the answer tells of work that was done on one: no price, " +
      "count or rate is of a real one",
  );

type AnyRoute = Omit<
  Route<z.ZodType | undefined, z.ZodType | undefined, z.ZodType | undefined, Fields>,
  "handle"
>;

function routeOptions(
  method: Method,
  { id, of }: { id: string; of: string | null },
  route: AnyRoute & RouteDefaults,
): RouteShorthandOptions {
  const { tag, summary, params, query, answer, access, perMinute, bodyLimit, answerWithinMs, rowByRow } =
    route;
  const body = route.body ?? (method === "GET" ? undefined : NO_BODY);
  const description = of === null ? route.description : `The same as ${of}.`;
  return {
    schema: {
      operationId: id,
      tags: [tag],
      summary,
      ...(description === undefined ? {} : { description }),
      ...(params === undefined ? {} : { params }),
      querystring: query ?? z.strictObject({}),
      ...(body === undefined ? {} : { body }),
      response: {
        [route.status ?? 200]: z
          .object({ success: z.literal(true), synthetic: SYNTHETIC_LABEL, ...answer })
          .describe(summary),
        ...problemResponses(errorsOf(method, route)),
      },
      ...(access === "open" ? {} : { security: [{ bearer: [] }, { apiKey: [] }] }),
    },
    config: {
      ...{ access, perMinute },
      ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
      ...(rowByRow === undefined ? {} : { rowByRow }),
    },
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
  };
}

/** A whole number in a query string: digits only, so `1e3`, `0x10`, ` 7 ` and repeated keys are refused. */
export function wholeNumberText(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ type: "integer", minimum: min, maximum: max, pattern: undefined });
}

/** A name that chats and mails show: nothing in it is not seen, or turns what is beside it round. */
export function nameText(most: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[\P{C}\u200d]+$/u, "must have no control or invisible characters");
}

/** A decimal number in a query string. */
export function decimalText(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d{1,15}(\.\d{1,15})?$/, "must be a number")
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ type: "number", minimum: min, maximum: max, pattern: undefined });
}

const EPOCH_MS = /^\d{11,15}$/;
/** Years 1 to 9999, which ISO dates of four digits and Postgres both have. */
const FIRST_INSTANT = Date.parse("0001-01-01T00:00:00Z");
const LAST_INSTANT = Date.parse("9999-12-31T23:59:59.999Z");

/** Epoch ms of what a request names as an instant: ISO 8601, `T` and `Z` in any spelling, or epoch ms. */
function instantOf(text: string): number | null {
  const ms = EPOCH_MS.test(text) ? Number(text) : parseInstant(text.toUpperCase().replace(" ", "T"));
  return ms !== null && ms >= FIRST_INSTANT && ms <= LAST_INSTANT ? ms : null;
}

/** An instant in a query string or body: ISO date or date-time, or epoch milliseconds; becomes epoch ms. */
export const instantText = z
  .string()
  .transform((text, context) => {
    const ms = instantOf(text);
    if (ms === null) context.addIssue("must be an ISO date or date-time, or epoch milliseconds");
    return ms ?? z.NEVER;
  })
  .meta({ description: "ISO date or date-time, in UTC unless it names an offset; or epoch milliseconds" });

/** Epoch ms as ISO 8601 in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Epoch ms as ISO 8601 on the clock of East Africa, UTC+3 all year, which existing clients show. */
export function eastAfricaTime(ms: number): string {
  return isoTime(ms + 3 * 3_600_000).replace("Z", "+03:00");
}

/**
 * The number of the event that a reader of server-sent events has seen last; null for none.
 * @throws {AppError} `invalid_request` for what is none.
 */
export function lastEventId({ headers }: { readonly headers: IncomingHttpHeaders }): number | null {
  const text = headers["last-event-id"];
  if (text === undefined || text === "") return null;
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new AppError("invalid_request", "header Last-Event-ID: must be the number of an event");
}
