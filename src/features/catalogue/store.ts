import type { Database } from "../../platform/database.js";

/** What has been examined of the market in use. */
export interface ScannedSummary {
  readonly symbols: number;
  /** Epoch ms of the newest examination; null before the first. */
  readonly lastUpdate: number | null;
}

export function createCatalogueStore({ prisma }: Database) {
  return {
    async loadScanned(synthetic: boolean): Promise<ScannedSummary> {
      const where = { instrument: { synthetic } };
      const [symbols, newest] = await Promise.all([
        prisma.scanCursor.findMany({ where, distinct: ["instrumentId"], select: { instrumentId: true } }),
        prisma.scanCursor.aggregate({ where, _max: { updatedAt: true } }),
      ]);
      return { symbols: symbols.length, lastUpdate: newest._max.updatedAt?.getTime() ?? null };
    },
  };
}

export type CatalogueStore = ReturnType<typeof createCatalogueStore>;
