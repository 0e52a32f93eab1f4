import type { FastifyInstance } from "fastify";
import { type AppParts, type AppSettings, anonymousPrincipal } from "./app-parts.js";
import { receivingRoutes } from "./features/hooks/receiving-routes.js";
import { hookRoutes } from "./features/hooks/routes.js";
import type { Hook } from "./features/hooks/store.js";
import { isLoopback, isProduction } from "./platform/config.js";
import { type Alpaca, alpacaRoutes } from "./protocols/alpaca/alpaca.js";
import { mcpRoutes } from "./protocols/mcp/mcp.js";
import type { SocketIo } from "./protocols/socketio/socketio.js";
import { registerUdf } from "./protocols/udf/udf.js";
import { createCounter } from "./server/counter.js";
import { registerEventStream } from "./server/event-stream.js";
import type { Guesses } from "./server/guesses.js";
import { type Hub, registerHub, registerSockets } from "./server/hub.js";
import type { ExplainError } from "./server/problems.js";
import { SOCKET_SETTINGS } from "./server/room.js";
import { openSocketIo } from "./server/socketio.js";
import { registerTickSocket } from "./server/tick-socket.js";

/** What sockets and dialects share with the routes. */
export interface ProtocolShared {
  readonly explain: ExplainError;
  readonly guesses: Guesses;
  readonly settings: AppSettings;
}

export interface Protocols {
  /** Says goodbye to every socket. */
  close(): void;
}

/** Sockets, dialects of others and what others call, over the same features. */
export async function openProtocols(
  server: FastifyInstance,
  parts: AppParts,
  { explain, guesses, settings }: ProtocolShared,
): Promise<Protocols> {
  const hub = await openHub(server, parts, settings);
  const alpaca = openAlpaca(server, parts, settings, { explain, guesses });
  const socketIo = openIo(server, parts, settings, guesses);
  registerUdf(server, { ...parts, explain });
  openMcp(server, parts, explain);
  openHooks(server, parts, guesses);
  parts.health.countSockets(() => hub.clients() + socketIo.count());
  return {
    close() {
      hub.close();
      alpaca.close();
      socketIo.close();
    },
  };
}

async function openHub(server: FastifyInstance, parts: AppParts, settings: AppSettings): Promise<Hub> {
  const { config, log } = parts;
  await registerSockets(server, log);
  const shared = {
    ...parts,
    origins: config.CORS_ORIGINS,
    anonymous: anonymousPrincipal(config),
    draining: parts.health.draining,
  };
  const options = { ...shared, settings: { ...SOCKET_SETTINGS, ...settings.sockets } };
  const hub = registerHub(server, options);
  const ticks = registerTickSocket(server, options);
  const secureCookies = isProduction(config);
  const events = registerEventStream(server, { ...options, secureCookies });
  const clients = () => hub.clients() + ticks.count() + events.count();
  return {
    clients,
    close() {
      hub.close();
      ticks.close();
      events.close();
    },
  };
}

function openAlpaca(
  server: FastifyInstance,
  parts: AppParts,
  { alpacaSockets = {} }: AppSettings,
  { explain, guesses }: { explain: ExplainError; guesses: Guesses },
): Alpaca {
  return alpacaRoutes(server, {
    ...parts,
    explain,
    draining: parts.health.draining,
    sockets: alpacaSockets,
    identify: identifier(parts, guesses),
  });
}

function openIo(
  server: FastifyInstance,
  parts: AppParts,
  { sockets = {} }: AppSettings,
  guesses: Guesses,
): SocketIo {
  const { config, health } = parts;
  return openSocketIo(server, {
    ...parts,
    origins: config.CORS_ORIGINS,
    anonymous: anonymousPrincipal(config),
    draining: health.draining,
    loopbackOnly: isLoopback(config.HOST),
    proxyHops: config.TRUST_PROXY_HOPS,
    settings: { ...SOCKET_SETTINGS, ...sockets },
    limitMultiplier: config.RATE_LIMIT_MULTIPLIER,
    identify: identifier(parts, guesses),
  });
}

/** Whose a credential is, for those who send it in no header. */
function identifier({ users }: AppParts, guesses: Guesses) {
  return async (ip: string, credential: string) => {
    guesses.check(ip, credential);
    const principal = await users.authenticate(credential);
    await guesses.record(ip, credential, principal !== null);
    return principal;
  };
}

function openMcp(server: FastifyInstance, parts: AppParts, explainError: ExplainError): void {
  mcpRoutes(server, {
    ...parts,
    explainError,
    callers: parts.signalDesk,
    ruleDecisions: parts.rules.decisions,
    kinds: parts.backtestDesk.kinds,
    synthetic: parts.gateway.synthetic,
    now: parts.clock.now,
  });
}

/** Addresses that others call, who know no more than a secret. */
function openHooks(server: FastifyInstance, parts: AppParts, guesses: Guesses): void {
  const { hooks, limitRedis } = parts;
  const calls = createCounter(limitRedis, 60_000);
  hookRoutes(server, parts);
  receivingRoutes(server, {
    hooks,
    async identify(ip, secret) {
      const hook = await hooks.identify(secret);
      // Many share the addresses of a service: what others guess there says nothing of who has a secret of 256 bits.
      if (hook !== null) return hook;
      guesses.check(ip, secret);
      await guesses.record(ip, secret, false);
      return null;
    },
    async count({ id, perMinute }: Hook) {
      const { count, leftMs } = await calls.increment(`hook:${id}`);
      return count <= perMinute ? null : leftMs;
    },
  });
}
