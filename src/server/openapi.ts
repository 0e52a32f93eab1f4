import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import type { Role } from "../platform/http.js";

const DESCRIPTION = `Market data, patterns on closed bars, signals and alerts.

Every answer carries \`success\`; errors are RFC 9457 problem details with a stable \`code\` and a \`requestId\`.
Times are ISO 8601 in UTC. Values that no source has are \`null\`. Data of the synthetic market is labelled
\`synthetic: true\` wherever it appears.`;

/** Serves the OpenAPI document of all routes at /swagger.json and a page to read it at /docs. */
export async function registerOpenapi(
  app: FastifyInstance,
  version: string,
  access: Role | "open",
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "TX", version, description: DESCRIPTION },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
          apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith("/docs")) route.config = { ...route.config, access, perMinute: null };
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: true,
    uiConfig: { docExpansion: "none", displayOperationId: true, persistAuthorization: false },
  });
  app.get(
    "/swagger.json",
    { schema: { hide: true }, config: { access, perMinute: 60 } },
    async () => app.swagger() as object,
  );
}
