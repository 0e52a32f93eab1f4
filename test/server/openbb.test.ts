import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Dashboard, Widget } from "../../src/protocols/udf/openbb.js";
import { FILES_END_MS } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import type { Schema, Spec } from "../fixtures/spec.js";

let program: TestProgram;
let widgets: Readonly<Record<string, Widget>>;
beforeAll(async () => {
  program = await startScannedProgram({ clock: createManualClock(FILES_END_MS) });
  widgets = (await program.call("/widgets.json")).json();
}, 120_000);
afterAll(() => program.close());

/** What an answer has where a path with dots leads. */
function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((one, name) => (one as Record<string, unknown>)?.[name], value);
}

/** What the document says of the rows that a table shows. */
function rowFields(spec: Spec, endpoint: string, dataKey: string): Readonly<Record<string, Schema>> {
  const resolved = (schema: Schema): Schema =>
    typeof schema.$ref === "string" ? spec.components.schemas[schema.$ref.split("/").at(-1) ?? ""] : schema;
  let schema = resolved(spec.paths[endpoint].get.responses[200].content?.["application/json"].schema ?? {});
  for (const name of dataKey.split("."))
    schema = resolved((schema.properties as Record<string, Schema>)[name]);
  expect(schema.type, endpoint).toBe("array");
  return resolved(schema.items as Schema).properties as Record<string, Schema>;
}

const TYPES: Readonly<Record<string, string>> = {
  text: "string",
  dateString: "string",
  number: "number",
  boolean: "boolean",
};

describe("GET /widgets.json", () => {
  it("200 has a chart over the feed, with a symbol that the feed knows", async () => {
    const charts = Object.values(widgets).filter(({ type }) => type === "advanced_charting");
    expect(charts.map(({ endpoint }) => endpoint)).toEqual(["/udf"]);
    const [{ data }] = charts;
    const symbol = "defaultSymbol" in data ? data.defaultSymbol : "";
    for (const url of [
      "/udf/config",
      "/udf/time",
      `/udf/symbols?symbol=${symbol}`,
      `/udf/search?query=${symbol}`,
    ])
      expect((await program.call(url)).statusCode, url).toBe(200);
  });

  it("200 has tables whose endpoints answer with rows, which have the field of each column", async () => {
    const spec = program.server.swagger() as unknown as Spec;
    const filled: string[] = [];
    const tables = Object.entries(widgets).filter(([, { type }]) => type === "table");
    expect(tables.length).toBeGreaterThan(7);
    for (const [id, { endpoint, params, data }] of tables) {
      if (!("dataKey" in data)) throw new Error(`${id} is no table`);
      const query = params.map(({ paramName, value }) => `${paramName}=${value}`).join("&");
      const answer = await program.call(`${endpoint}?${query}`);
      expect(answer.statusCode, id).toBe(200);
      const rows = at(answer.json(), data.dataKey);
      if (!Array.isArray(rows)) throw new Error(`${id}: no rows at ${data.dataKey}`);
      if (rows.length > 0) filled.push(id);
      const fields = rowFields(spec, endpoint, data.dataKey);
      for (const { field, cellDataType } of data.table.columnsDefs) {
        const type = [
          fields[field]?.type ?? (fields[field]?.anyOf as Schema[])?.map((each) => each.type),
        ].flat();
        const wanted = TYPES[cellDataType];
        expect(
          type.includes(wanted) || (wanted === "number" && type.includes("integer")),
          `${id} ${field}: ${type}`,
        ).toBe(true);
        for (const row of rows as Record<string, unknown>[])
          if (row[field] !== null) expect(typeof row[field], `${id} ${field}`).toBe(wanted);
      }
    }
    expect(filled).toEqual(
      expect.arrayContaining(["tx_alerts", "tx_detections", "tx_decisions", "tx_market"]),
    );
  });

  it("200 has what the workspace needs of each widget, within its grid", () => {
    for (const [id, { name, description, category, gridData }] of Object.entries(widgets)) {
      expect(id).toMatch(/^tx_[a-z]+$/);
      expect([name, description, category].every((text) => text.length > 3)).toBe(true);
      expect(gridData.w > 0 && gridData.w <= 40 && gridData.h > 0 && gridData.h <= 100).toBe(true);
    }
  });
});

describe("GET /apps.json", () => {
  it("200 places widgets there are, side by side and not upon each other", async () => {
    const apps = (await program.call("/apps.json")).json<Dashboard[]>();
    expect(apps.length).toBe(1);
    const placed = new Set<string>();
    for (const [id, tab] of Object.entries(apps[0].tabs)) {
      expect(tab.id).toBe(id);
      for (const [i, one] of tab.layout.entries()) {
        expect(widgets[one.i], one.i).toBeDefined();
        placed.add(one.i);
        expect(one.x + one.w).toBeLessThanOrEqual(40);
        for (const other of tab.layout.slice(0, i)) {
          const apart = one.y >= other.y + other.h || other.y >= one.y + one.h;
          expect(apart || one.x >= other.x + other.w || other.x >= one.x + one.w).toBe(true);
        }
      }
    }
    expect([...placed].sort()).toEqual(Object.keys(widgets).sort());
  });
});
