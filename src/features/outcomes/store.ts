import type { Database } from "../../platform/database.js";

export interface LoggedOutcome {
  readonly userId: string;
  readonly instrumentId: number | null;
  readonly symbol: string;
  readonly pattern: string;
  readonly outcome: "profit" | "loss" | "breakeven";
  readonly pnl: number | null;
  readonly confidence: number | null;
  readonly durationMin: number | null;
}

export function createOutcomeStore({ prisma }: Database) {
  return {
    async save(outcome: LoggedOutcome): Promise<number> {
      const row = await prisma.loggedOutcome.create({ data: outcome, select: { id: true } });
      return Number(row.id);
    },
  };
}

export type OutcomeStore = ReturnType<typeof createOutcomeStore>;
