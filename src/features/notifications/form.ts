import type { OutwardRequest } from "../../platform/outward.js";
import type { Picture } from "./define.js";

export type Posted = Pick<OutwardRequest, "headers" | "body">;

export function jsonBody(value: unknown): Posted {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

/** Fields and a picture as a browser would send them. */
export async function formBody(
  fields: Readonly<Record<string, string>>,
  name: string,
  picture: Picture,
): Promise<Posted> {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.set(key, value);
  form.set(name, new Blob([new Uint8Array(picture.bytes)], { type: picture.type }), picture.name);
  const written = new Response(form);
  const type = written.headers.get("content-type") ?? "multipart/form-data";
  return { headers: { "content-type": type }, body: Buffer.from(await written.arrayBuffer()) };
}
