import type { AssetClass, Instrument } from "../../core/market/instrument.js";
import type { CalendarId } from "../../core/market/session.js";
import type { Database } from "../../platform/database.js";

/** An instrument with its row. */
export interface KnownInstrument extends Instrument {
  readonly id: number;
  /** True when its prices come from the synthetic market. */
  readonly synthetic: boolean;
}

const SAVE = `
insert into instruments (symbol, synthetic, name, asset_class, exchange, currency, calendar)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (synthetic, symbol) do update set
  name = excluded.name, asset_class = excluded.asset_class, exchange = excluded.exchange,
  currency = excluded.currency, calendar = excluded.calendar
returning id`;

export function createInstrumentStore(database: Database) {
  return {
    /** Creates or renews the row of an instrument. */
    async save(instrument: Instrument, synthetic: boolean): Promise<KnownInstrument> {
      const { symbol, name, assetClass, exchange, currency, calendar } = instrument;
      const values = [symbol, synthetic, name, assetClass, exchange, currency, calendar];
      const [row] = await database.query<{ id: number }>(SAVE, values);
      return { ...instrument, id: row.id, synthetic };
    },

    async loadAll(synthetic: boolean): Promise<KnownInstrument[]> {
      const rows = await database.prisma.instrument.findMany({
        where: { synthetic },
        orderBy: { symbol: "asc" },
      });
      return rows.map((row) => ({
        id: row.id,
        symbol: row.symbol,
        synthetic,
        name: row.name,
        exchange: row.exchange,
        assetClass: row.assetClass as AssetClass,
        currency: row.currency,
        calendar: row.calendar as CalendarId,
      }));
    },
  };
}

export type InstrumentStore = ReturnType<typeof createInstrumentStore>;
