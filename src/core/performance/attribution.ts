import { type Cause, type Causes, causeOf, type LayerVoice, MANUAL, voicesFor } from "./cause.js";
import { isClosed, returnOf, signOf, type Trade } from "./trade.js";

/** The row of what was received and paid for cash. */
export const INTEREST = "interest";

/** A part of what an account gained. Money in micros. */
export interface AttributionRow {
  readonly name: string;
  /** All rows of a table sum to the total. */
  readonly contribution: number;
  /** Per the total; null where that is 0. */
  readonly share: number | null;
  /** Trades it had a part in. */
  readonly trades: number;
  /** Of those that are closed, how often its part was above 0, 0..1; null while none is. */
  readonly winRate: number | null;
  /** Mean return of those trades, per what was put in; null where nothing was. */
  readonly averageReturn: number | null;
}

export interface Attribution {
  /** Net of all trades, and interest. */
  readonly total: number;
  readonly layers: readonly AttributionRow[];
  readonly patterns: readonly AttributionRow[];
  readonly strategies: readonly AttributionRow[];
  readonly models: readonly AttributionRow[];
}

/**
 * What trades gained, by what caused them. Each trade's net goes to one pattern, strategy and model, and is split over
 * layers by `layerShares`. Trades without a cause, or whose cause lacks the part, are in the row `manual`; that of layers
 * also has those against their signal, whose pattern, strategy and model are as they were named. Interest is of no trade
 * and has a row of its own in each table.
 * @param interest received less paid; micros.
 */
export function attribute(trades: Iterable<Trade>, causes: Causes, interest = 0): Attribution {
  const tables = { layers: new Table(), patterns: new Table(), strategies: new Table(), models: new Table() };
  let total = 0;
  for (const trade of trades) {
    const cause = causeOf(causes, trade);
    total += trade.net;
    for (const { name, micros } of layerParts(trade, cause)) tables.layers.add(name, micros, trade);
    tables.patterns.add(cause?.pattern ?? MANUAL, trade.net, trade);
    tables.strategies.add(cause?.strategy ?? MANUAL, trade.net, trade);
    tables.models.add(cause?.model ?? MANUAL, trade.net, trade);
  }
  if (interest !== 0) {
    total += interest;
    for (const table of Object.values(tables)) table.addUntraded(INTEREST, interest);
  }
  return {
    total,
    layers: tables.layers.rows(total),
    patterns: tables.patterns.rows(total),
    strategies: tables.strategies.rows(total),
    models: tables.models.rows(total),
  };
}

/**
 * Shares of a trade's net by layer; they sum to 1. A layer that spoke against the direction has the share of all that
 * was said that it said, below 0: a trade that gains proves it wrong and one that loses right. Those in favour share the
 * rest in proportion to what they said. So no share is below -1, and together those in favour have less than 2. None
 * where no layer spoke in favour.
 */
export function layerShares(layers: readonly LayerVoice[], direction: 1 | -1): Map<string, number> {
  let [favour, against] = [0, 0];
  for (const { contribution } of layers) {
    if (direction * contribution > 0) favour += Math.abs(contribution);
    else against += Math.abs(contribution);
  }
  const shares = new Map<string, number>();
  if (favour === 0) return shares;
  const rest = 1 + against / (favour + against);
  for (const { name, contribution } of layers) {
    const said = direction * contribution;
    if (said === 0) continue;
    const share = said > 0 ? (said / favour) * rest : said / (favour + against);
    shares.set(name, (shares.get(name) ?? 0) + share);
  }
  return shares;
}

interface LayerPart {
  readonly name: string;
  readonly micros: number;
}

/** Micros by layer, rounded; the last takes the remainder. */
function layerParts(trade: Trade, cause: Cause | null): LayerPart[] {
  const shares = [...layerShares(voicesFor(cause, trade), signOf(trade))];
  if (shares.length === 0) return [{ name: MANUAL, micros: trade.net }];
  let left = trade.net;
  return shares.map(([name, share], k) => {
    const micros = k === shares.length - 1 ? left : roundMicros(trade.net * share);
    left -= micros;
    return { name, micros };
  });
}

/** Half away from zero. */
function roundMicros(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5) + 0;
}

interface Row {
  contribution: number;
  trades: number;
  closed: number;
  wins: number;
  returns: number;
  returned: number;
}

class Table {
  readonly #rows = new Map<string, Row>();

  #row(name: string): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { contribution: 0, trades: 0, closed: 0, wins: 0, returns: 0, returned: 0 };
      this.#rows.set(name, row);
    }
    return row;
  }

  addUntraded(name: string, micros: number): void {
    this.#row(name).contribution += micros;
  }

  add(name: string, micros: number, trade: Trade): void {
    const row = this.#row(name);
    row.contribution += micros;
    row.trades++;
    if (isClosed(trade)) {
      row.closed++;
      if (micros > 0) row.wins++;
    }
    const gained = returnOf(trade);
    if (gained === null) return;
    row.returns += gained;
    row.returned++;
  }

  /** The largest part first, of equal ones by name. */
  rows(total: number): AttributionRow[] {
    return [...this.#rows]
      .map(([name, { contribution, trades, closed, wins, returns, returned }]) => ({
        name,
        contribution,
        share: total === 0 ? null : contribution / total,
        trades,
        winRate: closed === 0 ? null : wins / closed,
        averageReturn: returned === 0 ? null : returns / returned,
      }))
      .sort((a, b) => b.contribution - a.contribution || (a.name < b.name ? -1 : 1));
  }
}
