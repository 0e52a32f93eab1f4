import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isoTime, routeGroup } from "../../platform/http.js";
import type { ScannerConfig } from "./config.js";
import type { Scanner, ScannerStatus } from "./scanner.js";

const time = z.iso.datetime().nullable();

const configSchema = z
  .object({
    symbols: z.array(z.string()),
    interval: z.number().describe("Seconds between scans"),
    auto_alerts: z.boolean(),
  })
  .meta({ id: "ScannerConfig" });

const statusSchema = z
  .object({
    active: z.boolean(),
    start_time: time,
    stop_time: time,
    symbols_scanned: z.number().int().describe("Symbols of the largest scan since the start"),
    patterns_found: z.number().int().describe("Detections stored since the start"),
    alerts_raised: z.number().int(),
    scans: z.number().int(),
    failures: z.number().int().describe("Symbols that could not be examined"),
    last_scan: time,
    last_scan_status: z.enum(["running", "finished", "failed"]).nullable(),
    leader: z.boolean().describe("True when the instance that answers runs the scans"),
  })
  .meta({ id: "ScannerStatus" });

// Clients send back the whole object they were given, so further fields are let pass.
const configBody = z
  .looseObject({
    symbols: z.array(z.string().min(1).max(40)).min(1).max(1_000).optional(),
    interval: z.number().min(1).max(86_400).optional(),
    auto_alerts: z.boolean().optional(),
  })
  .optional();
type ConfigBody = z.output<typeof configBody>;

function changeOf(body: ConfigBody) {
  return { symbols: body?.symbols, intervalS: body?.interval, autoAlerts: body?.auto_alerts };
}

function configView({ symbols, intervalS, autoAlerts }: ScannerConfig): z.input<typeof configSchema> {
  return { symbols: [...symbols], interval: intervalS, auto_alerts: autoAlerts };
}

function statusView({ config, totals, newest, leader }: ScannerStatus): z.input<typeof statusSchema> {
  const timeOf = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : isoTime(ms));
  return {
    active: config.active,
    start_time: timeOf(config.startedAt),
    stop_time: timeOf(config.stoppedAt),
    symbols_scanned: totals.symbols,
    patterns_found: totals.detections,
    alerts_raised: totals.alerts,
    scans: totals.scans,
    failures: totals.failures,
    last_scan: timeOf(newest?.finishedAt ?? newest?.startedAt),
    last_scan_status: newest?.status ?? null,
    leader,
  };
}

export function scannerRoutes(app: FastifyInstance, { scanner }: { scanner: Scanner }): void {
  const routes = routeGroup(app, { tag: "Scanner", access: "viewer", perMinute: 30 });
  const fullConfig = configSchema.extend({ defaults: configSchema, status: statusSchema });
  const symbolErrors = ["symbol_invalid", "symbol_unknown"] as const;

  async function config(): Promise<z.input<typeof fullConfig>> {
    const status = await scanner.status();
    return {
      ...configView(status.config),
      defaults: configView(scanner.defaults),
      status: statusView(status),
    };
  }

  routes.get("/api/scan/status", {
    id: "getScannerStatus",
    summary: "Whether the scanner is active and what it did since its start",
    answer: { data: statusSchema },
    handle: async () => ({ data: statusView(await scanner.status()) }),
  });
  routes.get("/api/scan/config", {
    id: "getScannerConfig",
    summary: "How the scanner runs",
    answer: { data: fullConfig },
    handle: async () => ({ data: await config() }),
  });
  routes.post("/api/scan/config", {
    id: "setScannerConfig",
    summary: "Change how the scanner runs; an active scanner scans at once",
    access: "trader",
    perMinute: 10,
    body: configBody,
    answer: { data: fullConfig },
    errors: symbolErrors,
    async handle({ body }) {
      await scanner.configure(changeOf(body));
      return { data: await config() };
    },
  });
  routes.post("/api/scan/start", {
    id: "startScanner",
    summary: "Start the scanner; it scans at once and then in its interval",
    access: "trader",
    perMinute: 5,
    body: configBody,
    answer: { data: configSchema },
    errors: ["scanner_already_active", ...symbolErrors],
    handle: async ({ body }) => ({ data: configView(await scanner.start(changeOf(body))) }),
  });
  routes.post("/api/scan/stop", {
    id: "stopScanner",
    summary: "Stop the scanner; a scan underway is finished",
    access: "trader",
    perMinute: 10,
    answer: { data: z.object({ message: z.string(), final_stats: statusSchema }) },
    async handle() {
      return { data: { message: "The scanner is stopped", final_stats: statusView(await scanner.stop()) } };
    },
  });
}
