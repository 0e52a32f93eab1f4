import { decode, encode } from "@msgpack/msgpack";
import type { RawData } from "ws";

/** How the frames of a connection are written. */
export interface Codec {
  /** What a frame says. @throws for what cannot be read. */
  read(frame: RawData): unknown;
  /** A frame; dates become RFC 3339 or timestamps of the format. */
  write(message: unknown): Uint8Array | string;
}

/** Depth of nesting and length of lists that no client comes near. */
const LIMITS = {
  maxStrLength: 4_096,
  maxArrayLength: 10_000,
  maxMapLength: 100,
  maxBinLength: 0,
  maxExtLength: 0,
};

const bytesOf = (frame: RawData): Uint8Array =>
  Array.isArray(frame) ? Buffer.concat(frame) : frame instanceof ArrayBuffer ? new Uint8Array(frame) : frame;

export const JSON_CODEC: Codec = {
  read: (frame) => JSON.parse(Buffer.from(bytesOf(frame)).toString("utf8")),
  write: (message) => JSON.stringify(message),
};

/** JSON in frames that say that they are binary, as the stream of orders has them. */
export const BINARY_JSON_CODEC: Codec = {
  read: JSON_CODEC.read,
  write: (message) => Buffer.from(JSON.stringify(message)),
};

export const MSGPACK_CODEC: Codec = {
  read: (frame) => decode(bytesOf(frame), LIMITS),
  write: (message) => encode(message),
};

/** The format that a client asks for with the type of its handshake. */
export function asksForMsgpack(contentType: string | undefined): boolean {
  return contentType?.split(";")[0].trim().toLowerCase() === "application/msgpack";
}
