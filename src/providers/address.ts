/**
 * The address of a path at a service, whose configured address may have a path of its own, which stays before it.
 * @param path begins with a stroke and is percent-encoded. It is not resolved against the address: one that begins
 * with two strokes would lead elsewhere.
 */
export function addressAt(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl);
  url.pathname = `${ownPath(url)}${path}`;
  return url;
}

/** The path of a page at a service, without that of its configured address. */
export function pathAt(baseUrl: string, page: URL): string {
  const base = new URL(baseUrl);
  const own = `${ownPath(base)}/`;
  const within = page.origin === base.origin && page.pathname.startsWith(own);
  return within ? page.pathname.slice(own.length - 1) : page.pathname;
}

function ownPath({ pathname }: URL): string {
  return pathname.replace(/\/+$/, "");
}
