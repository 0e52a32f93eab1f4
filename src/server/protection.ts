import helmet from "@fastify/helmet";
import fastify, { type FastifyInstance } from "fastify";

const POLICY = {
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      connectSrc: ["'self'", "ws:", "wss:"],
      objectSrc: ["'none'"],
      frameAncestors: ["'none'"],
      upgradeInsecureRequests: null,
    },
  },
  frameguard: { action: "deny" as const },
  referrerPolicy: { policy: "strict-origin-when-cross-origin" as const },
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
  xXssProtection: false,
};

/** What a server writes into every answer by itself. */
const OWN = ["connection", "content-length", "content-type", "date"];

/**
 * Headers by which browsers protect whoever reads an answer. They are the same on all: the plugin is asked for them
 * once, on a server of its own. As a plugin of this one it would give each reply a function that keeps the whole
 * request alive until the next collection of the old heap.
 */
async function protectingHeaders(): Promise<(readonly [string, string])[]> {
  const server = fastify();
  await server.register(helmet, POLICY);
  server.get("/", () => "");
  const { headers } = await server.inject("/");
  await server.close();
  return Object.entries(headers)
    .filter(([name]) => !OWN.includes(name))
    .map(([name, value]) => [name, String(value)]);
}

export async function registerProtection(app: FastifyInstance): Promise<void> {
  const headers = await protectingHeaders();
  app.addHook("onRequest", (_request, { raw }, done) => {
    for (const [name, value] of headers) raw.setHeader(name, value);
    done();
  });
}
