import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Instruments } from "../../features/instruments/instruments.js";
import { problemResponses } from "../../platform/http.js";
import { dashboards, widgetsOf } from "./openbb.js";

const TAG = "OpenBB";
const PER_MINUTE = 60;
/** Shown at first where nothing is scanned. */
const ANY_SYMBOL = "AAPL";

const grid = z.object({ w: z.number().int(), h: z.number().int() });
const widgetSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    category: z.string(),
    type: z.enum(["table", "advanced_charting"]),
    endpoint: z.string(),
    gridData: grid,
    source: z.array(z.string()),
    params: z.array(
      z.object({
        paramName: z.string(),
        type: z.string(),
        value: z.union([z.string(), z.number()]),
        label: z.string(),
        description: z.string(),
      }),
    ),
    data: z.union([
      z.object({ defaultSymbol: z.string(), updateFrequency: z.number().int().describe("Milliseconds") }),
      z.object({
        dataKey: z.string().describe("Where the rows are in the answer of the endpoint"),
        table: z.object({
          showAll: z.boolean().describe("Whether fields without a column are shown"),
          columnsDefs: z.array(
            z.object({ field: z.string(), headerName: z.string(), cellDataType: z.string() }),
          ),
        }),
      }),
    ]),
  })
  .meta({ id: "OpenbbWidget" });

const dashboardSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    img: z.string(),
    allowCustomization: z.boolean(),
    tabs: z.record(
      z.string(),
      z.object({
        id: z.string(),
        name: z.string(),
        layout: z.array(grid.extend({ i: z.string().describe("Of widgets.json"), x: z.int(), y: z.int() })),
      }),
    ),
    groups: z.array(z.never()),
  })
  .meta({ id: "OpenbbApp" });

/** What OpenBB Workspace reads of a source of data: its widgets, and a dashboard made of them. */
export function openbbRoutes(
  app: FastifyInstance,
  { instruments }: { readonly instruments: Pick<Instruments, "defaultUniverse"> },
): void {
  const get = (url: string, id: string, summary: string, answer: z.ZodType, body: () => unknown) =>
    app.route({
      method: "GET",
      url,
      schema: {
        operationId: id,
        tags: [TAG],
        summary,
        // Parameters that are not named are ignored, as with any file.
        querystring: z.object({}),
        response: {
          200: { description: summary, content: { "application/json": { schema: answer } } },
          ...problemResponses(ERRORS),
        },
        security: [{ bearer: [] }, { apiKey: [] }],
      },
      config: { access: "viewer", perMinute: PER_MINUTE },
      handler: (_request, reply) => reply.type("application/json; charset=utf-8").send(body()),
    });

  const widgets = z.record(z.string(), widgetSchema);
  get("/widgets.json", "listWidgets", "The widgets of OpenBB Workspace that this server fills", widgets, () =>
    widgetsOf(instruments.defaultUniverse()[0] ?? ANY_SYMBOL),
  );
  get("/apps.json", "listApps", "Dashboards made of those widgets", z.array(dashboardSchema), dashboards);
}

const ERRORS = [
  "invalid_request",
  "unauthenticated",
  "forbidden",
  "origin_refused",
  "rate_limited",
  "internal",
  "overloaded",
  "timed_out",
  "shutting_down",
  "database_unavailable",
] as const;
