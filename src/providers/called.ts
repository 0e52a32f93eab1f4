import { defineEvent } from "../platform/bus.js";

/** One question to a source, however it ended. */
export interface SourceCall {
  readonly source: string;
  readonly ms: number;
  /** True for answers that say no, too: the source is well. */
  readonly ok: boolean;
}

export const sourceCalled = defineEvent<SourceCall>("source.called");
