import { defineEvent } from "../platform/bus.js";

/** One question to a source, however it ended. */
export interface SourceCall {
  readonly source: string;
  readonly ms: number;
  /** True for answers that say no, too: the source is well. */
  readonly ok: boolean;
}

/** A file that was listed and then could not be read. */
export interface UnreadFile {
  readonly source: string;
  readonly name: string;
  readonly reason: string;
}

export const fileUnread = defineEvent<UnreadFile>("source.file_unread");

export const sourceCalled = defineEvent<SourceCall>("source.called");
