import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram();
});
afterAll(() => program.close());

async function call(method: "GET" | "POST", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}

describe("POST /api/paper-trade/accounts/import of what an export answered", () => {
  it("201 takes the whole answer of an export, also of an account that was opened without money", async () => {
    for (const [cash, leverage] of [
      [0, 1],
      [0, 2],
      [5_000, 2],
    ]) {
      const name = `Plain ${cash} ${leverage}`;
      const { id } = (await call("POST", "/api/paper-trade/accounts", { name, cash, leverage })).data;
      for (const format of ["json", "csv"]) {
        const path = `/api/paper-trade/accounts/${id}/export?format=${format}`;
        const answer = (await program.call({ method: "GET", url: path })).json<Record<string, unknown>>();
        expect(answer).toMatchObject({ success: true, data: { record_count: 1 } });
        const copied = { ...answer, name: `${name} ${format}` };
        const copy = await call("POST", "/api/paper-trade/accounts/import", copied);
        expect(copy, copy.detail).toMatchObject({ status: 201, record_count: 1, data: { cash, leverage } });
        const again = await call("GET", `/api/paper-trade/accounts/${copy.data.id}/export`);
        expect(again.data.transactions).toEqual([
          expect.objectContaining({ kind: "transfer", amount: cash }),
        ]);
      }
    }
  });

  it("400 for a file beside a file, and for an answer that is none of an export", async () => {
    const { id } = (await call("POST", "/api/paper-trade/accounts", { name: "Beside" })).data;
    const { status: _status, ...answer } = await call("GET", `/api/paper-trade/accounts/${id}/export`);
    for (const [more, detail] of [
      [{ transactions: answer.data.transactions }, "has data and transactions, of which one is accepted"],
      [{ record_count: 1 }, "has data and record_count, of which one is accepted"],
      [{ data: { ...answer.data, record_count: 2 } }, "is 2, and there are 1 transactions"],
      [{ success: false }, "success"],
      [{ data: { ...answer.data, rows: [] } }, "rows"],
    ] as const) {
      const refused = await call("POST", "/api/paper-trade/accounts/import", {
        ...answer,
        name: "No",
        ...more,
      });
      expect(refused).toMatchObject({ status: 400, code: "invalid_request" });
      expect(refused.detail).toContain(detail);
    }
  });
});
