import { describe, expect, it } from "vitest";
import { complete, type Row, table, useDeskProgram } from "./option-files.js";

const { get } = useDeskProgram();

describe.skipIf(!complete)("Haug's values of European options (1998), asked for over HTTP", () => {
  const queryOf = (row: Row) =>
    new URLSearchParams({
      right: row.type,
      spot: row.spot,
      strike: row.strike,
      years: row.t,
      rate: row.r,
      dividend_yield: row.q,
    }).toString();

  it("are ours within 1e-4, and give back their volatility within 1e-6", async () => {
    const rows = table("values");
    expect(rows).toHaveLength(22);
    for (const row of rows) {
      const { price } = await get(`/api/options/price?${queryOf(row)}&volatility=${row.vol}`);
      expect(Math.abs(price - Number(row.value)), JSON.stringify(row)).toBeLessThan(1e-4);
      const back = await get(`/api/options/price?${queryOf(row)}&price=${price.toFixed(100)}`);
      expect(back.volatility.reason).toBeNull();
      expect(Math.abs(back.volatility.value - Number(row.vol)), JSON.stringify(row)).toBeLessThan(1e-6);
      expect(back.uncertainty).toBeLessThan(1e-6);
    }
  });

  it("have our greeks within 1e-4", async () => {
    const rows = table("greeks");
    expect(rows).toHaveLength(11);
    for (const row of rows) {
      const { greeks } = await get(`/api/options/price?${queryOf(row)}&volatility=${row.vol}`);
      const named: Readonly<Record<string, number>> = {
        ...greeks,
        theta_per_year: greeks.theta,
        "theta_per_day(365)": greeks.theta_per_day,
      };
      expect(Math.abs(named[row.greek] - Number(row.value)), JSON.stringify(row)).toBeLessThan(1e-4);
    }
  });

  it("round-trip over a grid of volatilities, strikes and times, or say why they do not", async () => {
    const reasons = new Map<string, number>();
    let solved = 0;
    let tiny = 0;
    for (const strike of [20, 60, 90, 100, 110, 150, 400]) {
      for (const years of [1 / 365, 0.1, 2]) {
        for (const volatility of [0.02, 0.2, 1.5]) {
          for (const right of ["call", "put"]) {
            const query = `right=${right}&spot=100&strike=${strike}&years=${years.toFixed(12)}&rate=0.05`;
            const { price } = await get(`/api/options/price?${query}&volatility=${volatility}`);
            const back = await get(`/api/options/price?${query}&price=${price.toFixed(100)}`);
            if (back.volatility.value === null) {
              expect(back.greeks).toBeNull();
              reasons.set(back.volatility.reason, (reasons.get(back.volatility.reason) ?? 0) + 1);
              continue;
            }
            // A hundred decimals do not hold the digits of a price that is smaller still.
            if (price < 1e-80) {
              tiny++;
              continue;
            }
            expect(Math.abs(back.volatility.value - volatility), query).toBeLessThan(1e-6);
            solved++;
          }
        }
      }
    }
    expect(solved).toBeGreaterThan(60);
    expect([...reasons.keys()].every((reason) => reason.length > 8)).toBe(true);
    expect(solved + tiny + [...reasons.values()].reduce((a, b) => a + b, 0)).toBe(126);
  });
});
