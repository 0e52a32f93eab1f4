import { BlockList, isIP, isIPv6 } from "node:net";

/** Addresses that well-known senders call from, by name. */
const PRESETS: Readonly<Record<string, readonly string[]>> = {
  tradingview: ["52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7"],
};

/** Whether a text is the name of a preset, an address, or a network such as 10.0.0.0/8. */
export function isSource(text: string): boolean {
  if (Object.hasOwn(PRESETS, text)) return true;
  const [address, bits, ...rest] = text.split("/");
  if (isIP(address) === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32));
}

/** Whether an address is one of the sources; all are where none is listed. */
export function mayCall(address: string, sources: readonly string[]): boolean {
  if (sources.length === 0) return true;
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const allowed = new BlockList();
  for (const source of sources.flatMap((each) => PRESETS[each] ?? [each])) {
    const [from, bits] = source.split("/");
    if (bits === undefined) allowed.addAddress(from, familyOf(from));
    else allowed.addSubnet(from, Number(bits), familyOf(from));
  }
  return isIP(plain) !== 0 && allowed.check(plain, familyOf(plain));
}

const familyOf = (address: string) => (isIPv6(address) ? "ipv6" : "ipv4");
