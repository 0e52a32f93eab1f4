import { BlockList, isIPv6 } from "node:net";

/**
 * Which addresses are those of the public internet, by the registries of special-purpose addresses of IANA
 * (RFC 6890 and its successors).
 */

/** Everything of IPv4 that is no place of the public internet, with the metadata services of clouds. */
const REFUSED_4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * Of IPv6 only 2000::/3 is given out to anybody: mapped and compatible IPv4, NAT64, unique local, link-local and multicast
 * addresses all lie outside. Within it these lead elsewhere: protocols such as Teredo, documentation, 6to4, anycast of AS112.
 */
const REFUSED_6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
];

const refused4 = listOf(REFUSED_4, "ipv4");
const refused6 = listOf(REFUSED_6, "ipv6");
const given6 = listOf([["2000::", 3]], "ipv6");

function listOf(rows: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of rows) list.addSubnet(network, prefix, family);
  return list;
}

/** @param address of either family as resolvers write it, without brackets; a zone makes it local. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) {
    return !address.includes("%") && given6.check(address, "ipv6") && !refused6.check(address, "ipv6");
  }
  return !refused4.check(address, "ipv4");
}
