import type { AssetClass, Instrument } from "../../core/market/instrument.js";
import type { CalendarId } from "../../core/market/session.js";
import type { Database } from "../../platform/database.js";
import type { Prisma } from "../../platform/prisma/client.js";

type Row = Prisma.InstrumentGetPayload<object>;

/** An instrument with its row. */
export interface KnownInstrument extends Instrument {
  readonly id: number;
  /** True when its prices come from the synthetic market. */
  readonly synthetic: boolean;
}

const SAVE = `
insert into instruments (symbol, synthetic, replay, name, asset_class, exchange, currency, calendar)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (synthetic, replay, symbol) do update set
  name = excluded.name, asset_class = excluded.asset_class, exchange = excluded.exchange,
  currency = excluded.currency, calendar = excluded.calendar
returning id`;

/** Whose instruments are meant: those of the real or the synthetic market, as it is or in a replay. */
export interface MarketName {
  readonly synthetic: boolean;
  /** Name of the replay; null for the market as it is. */
  readonly replay: string | null;
}

const whereOf = ({ synthetic, replay }: MarketName) => ({ synthetic, replay: replay ?? "" });

export function createInstrumentStore(database: Database) {
  return {
    /** Creates or renews the row of an instrument. */
    async save(instrument: Instrument, market: MarketName): Promise<KnownInstrument> {
      const { symbol, name, assetClass, exchange, currency, calendar } = instrument;
      const { synthetic, replay } = whereOf(market);
      const values = [symbol, synthetic, replay, name, assetClass, exchange, currency, calendar];
      const [row] = await database.query<{ id: number }>(SAVE, values);
      return { ...instrument, id: row.id, synthetic };
    },

    async find(symbol: string, market: MarketName): Promise<KnownInstrument | null> {
      const row = await database.prisma.instrument.findFirst({ where: { ...whereOf(market), symbol } });
      return row === null ? null : instrumentOf(row);
    },

    count: (market: MarketName): Promise<number> =>
      database.prisma.instrument.count({ where: whereOf(market) }),

    async loadAll(market: MarketName): Promise<KnownInstrument[]> {
      const where = whereOf(market);
      return (await database.prisma.instrument.findMany({ where, orderBy: { symbol: "asc" } })).map(
        instrumentOf,
      );
    },
  };
}

function instrumentOf(row: Row): KnownInstrument {
  return {
    id: row.id,
    symbol: row.symbol,
    synthetic: row.synthetic,
    name: row.name,
    exchange: row.exchange,
    assetClass: row.assetClass as AssetClass,
    currency: row.currency,
    calendar: row.calendar as CalendarId,
  };
}

export type InstrumentStore = ReturnType<typeof createInstrumentStore>;
