import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import type { Catalogue } from "./catalogue.js";
import { providerHealthViews } from "./provider-view.js";
import {
  assetsSchema,
  coverageSchema,
  coveredProvidersSchema,
  dataCoverageSchema,
  featuresSchema,
  indicatorSchema,
  instrumentSchema,
  patternSchema,
} from "./schema.js";
import {
  assetsView,
  coverageView,
  dataCoverageView,
  featuresView,
  indicatorView,
  instrumentView,
  patternViews,
  unservedView,
} from "./views.js";

export function catalogueRoutes(
  app: FastifyInstance,
  { catalogue, clock }: { catalogue: Catalogue; clock: { now(): number } },
): void {
  const routes = routeGroup(app, { tag: "Catalogue", access: "viewer", perMinute: 30 });

  async function assets(): Promise<z.input<typeof assetsSchema>> {
    return assetsView(await catalogue.instruments(), (await catalogue.coverage()).lastUpdate);
  }

  routes.get("/api/symbols", {
    id: "listSymbols",
    summary: "Instruments that are known by name; sources may carry more",
    answer: { data: z.array(instrumentSchema) },
    handle: async () => ({ data: (await catalogue.instruments()).map(instrumentView) }),
  });
  routes.get("/api/assets/list", {
    id: "listAssets",
    aliases: [{ path: "/api/assets", id: "listAssetsAlias" }],
    summary: "Known instruments by class",
    answer: { data: assetsSchema },
    handle: async () => ({ data: await assets() }),
  });
  routes.get("/api/features", {
    id: "listFeatures",
    summary: "What this server does",
    perMinute: 20,
    answer: { data: featuresSchema },
    handle: () => ({ data: featuresView(catalogue) }),
  });
  routes.get("/api/coverage", {
    id: "getCoverage",
    summary: "Sources, instruments and how many have been examined",
    perMinute: 20,
    answer: {
      data: coverageSchema,
      providers: coveredProvidersSchema,
      assets: assetsSchema,
      features: featuresSchema,
    },
    async handle() {
      const coverage = await catalogue.coverage();
      return {
        data: coverageView(coverage),
        providers: {
          ...dataCoverageView(catalogue, coverage).providers,
          health: providerHealthViews(await catalogue.providerHealth(), catalogue.streams(), clock.now()),
          unserved: catalogue.unserved().map(unservedView),
        },
        assets: await assets(),
        features: featuresView(catalogue),
      };
    },
  });
  routes.get("/api/data-coverage", {
    id: "getDataCoverage",
    summary: "Sources, symbols, intervals and patterns",
    perMinute: 20,
    answer: { data: dataCoverageSchema },
    handle: async () => ({ data: dataCoverageView(catalogue, await catalogue.coverage()) }),
  });
  routes.get("/api/patterns/list", {
    id: "listPatterns",
    summary: "Every pattern, one entry for each way it shows itself",
    answer: { data: z.array(patternSchema) },
    handle: () => ({ data: catalogue.patterns.flatMap(patternViews) }),
  });
  routes.get("/api/indicators", {
    id: "listIndicators",
    summary: "Every indicator with its parameters, ranges, warm-up and source",
    answer: { data: z.array(indicatorSchema) },
    handle: () => ({ data: catalogue.indicators.map(indicatorView) }),
  });
}
