import { dateOf } from "../market/day.js";
import { LEG_COLUMNS, type LegColumn, type Right } from "../market/option-quote.js";
import { Findings } from "../quality/bars.js";
import type { Issue } from "../quality/issue.js";
import { type CollectedChain, type Legs, mapLegs, midPrice, type OptionChain } from "./chain.js";

export interface SoundChain {
  readonly chain: OptionChain;
  readonly issues: readonly Issue[];
}

/** Spot and legs are not of one instant, so that a price may stand this far above what no-arbitrage allows. */
const SLACK = 1.05;

/** What rounding may leave beyond the bounds of a greek, and a volatility that no option has: 1,000 % a year. */
const ROUNDING = 0.01;
const MOST_VOLATILITY = 10;

/** What a source derives with a model. */
const MODELLED: ReadonlySet<LegColumn> = new Set(["volatility", "delta", "gamma", "theta", "vega"]);

/** What a source makes of bid and ask, and does not stand without them. */
const QUOTED: ReadonlySet<LegColumn> = new Set<LegColumn>(["bid", "ask", ...MODELLED]);

/**
 * The chain without prices that cannot be: bids above their asks, calls above the spot and puts above their strikes.
 * What a source derives from bid and ask goes with them; open interest and volume stay, and a last price, which may be
 * older than the spot, is judged by itself. Greeks and volatilities that no option has go together, leg by leg. The same
 * chain where nothing goes.
 */
export function soundChain(chain: OptionChain): SoundChain {
  const findings = new Findings(chain.underlying);
  const call = soundLegs(chain, "call", findings);
  const put = soundLegs(chain, "put", findings);
  const isSame = call === chain.call && put === chain.put;
  return { chain: isSame ? chain : { ...chain, call, put }, issues: findings.list() };
}

function soundLegs(chain: OptionChain, right: Right, findings: Findings): Legs {
  const legs = chain[right];
  const quoted = new Set<number>();
  const traded = new Set<number>();
  const modelled = new Set<number>();
  for (let row = 0; row < chain.strike.length; row++) {
    const bid = legs.bid[row];
    const ask = legs.ask[row];
    const last = legs.last[row];
    const bound = right === "call" ? chain.spot : chain.strike[row];
    const tell = (text: string) => `${right} ${chain.strike[row]} of ${dateOf(chain.expiry[row])}: ${text}`;
    const above = `above ${right === "call" ? "the spot of" : "its strike of"} ${bound}`;
    const middle = midPrice(legs, row);
    const price = Number.isNaN(middle) ? bid : middle;
    // An ask of 0 is none.
    if (ask > 0 && bid > ask) {
      quoted.add(row);
      findings.add("quote_crossed", "critical", chain.time, () => tell(`bid ${bid} above ask ${ask}`));
    } else if (price > SLACK * bound) {
      quoted.add(row);
      const text = () => tell(`bid ${bid} and ask ${ask} are ${above}`);
      findings.add("option_above_bound", "critical", chain.time, text);
    }
    if (last > SLACK * bound) {
      traded.add(row);
      const text = () => tell(`last ${last} is ${above}`);
      findings.add("option_trade_above_bound", "warning", chain.time, text);
    }
    const figure = impossibleFigure(legs, row, right);
    if (figure !== null) {
      modelled.add(row);
      const text = () => tell(`${figure} of ${legs[figure][row]}`);
      findings.add("option_figures_impossible", "critical", chain.time, text);
    }
  }
  if (quoted.size + traded.size + modelled.size === 0) return legs;
  return mapLegs((name) => {
    if (MODELLED.has(name)) return without(legs[name], new Set([...quoted, ...modelled]));
    if (QUOTED.has(name)) return without(legs[name], quoted);
    return name === "last" ? without(legs[name], traded) : legs[name];
  });
}

/** The first figure of a source that cannot be; null where all can, or are not known. */
function impossibleFigure(legs: Legs, row: number, right: Right): LegColumn | null {
  const delta = right === "call" ? legs.delta[row] : -legs.delta[row];
  if (delta < -ROUNDING || delta > 1 + ROUNDING) return "delta";
  if (legs.gamma[row] < -ROUNDING) return "gamma";
  if (legs.vega[row] < -ROUNDING) return "vega";
  return legs.volatility[row] > MOST_VOLATILITY ? "volatility" : null;
}

/** What is told of quotes that do not stand in a chain, or stand there in place of others that differ. */
export function leftOutIssues({ chain, rejected }: CollectedChain): Issue[] {
  const findings = new Findings(chain.underlying);
  for (const { quote, reason, replacedBy } of rejected) {
    const { right, strike, expiry } = quote;
    const leg = () => `${right} ${strike} of ${Number.isInteger(expiry) ? dateOf(expiry) : expiry}: `;
    if (replacedBy === null) {
      const code = (quote.openInterest ?? 0) < 0 ? "open_interest_negative" : "leg_invalid";
      findings.add(code, "critical", chain.time, () => leg() + reason);
      continue;
    }
    const differs = LEG_COLUMNS.find((column) => (quote[column] ?? null) !== (replacedBy[column] ?? null));
    if (differs === undefined) continue;
    const text = () =>
      `${leg()}${differs} of ${quote[differs] ?? "nothing"} and ${replacedBy[differs] ?? "nothing"}`;
    findings.add("contradicting_legs", "warning", chain.time, text);
  }
  return findings.list();
}

function without(column: Float64Array, rows: ReadonlySet<number>): Float64Array {
  return rows.size === 0 ? column : column.map((value, row) => (rows.has(row) ? Number.NaN : value));
}
