/**
 * The bytes of an IP address: 4 for IPv4 (also written as ::ffff:1.2.3.4), 16 for IPv6; null when it is none. A zone
 * (fe80::1%eth0) is left out. Strict: no leading zeros in IPv4 parts, no missing parts.
 */
export function parseIpAddress(text: string): Uint8Array | null {
  if (!text.includes(':')) return parseV4(text);
  const bytes = parseV6(text.split('%', 1)[0] as string);
  if (bytes === null) return null;
  const isMapped =
    bytes[10] === 255 && bytes[11] === 255 && bytes.subarray(0, 10).every((byte) => byte === 0);
  return isMapped ? bytes.slice(12) : bytes;
}

function parseV4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return Uint8Array.from(parts, Number);
}

function parseV6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] as string);
  const tail = groupsOf(halves[1] ?? '');
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of groups between colons; the last may be an IPv4 address. */
function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (group.includes('.') && i === groups.length - 1) {
      const v4 = parseV4(group);
      if (v4 === null) return null;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}

/** Blocks of addresses, `10.0.0.0/8`, `2001:db8::/32` or a single address. IPv6 blocks never hold IPv4 addresses. */
export class IpBlocks {
  /** By address length and prefix length, the masked addresses. */
  readonly #blocks: { readonly sizeBytes: number; readonly prefix: number; readonly masked: Set<string> }[] =
    [];

  constructor(blocks: readonly string[]) {
    for (const text of blocks) {
      const block = parseIpBlock(text);
      if (block !== null) this.#add(block.bytes, block.prefix);
    }
  }

  has(address: Uint8Array): boolean {
    for (const { sizeBytes, prefix, masked } of this.#blocks) {
      if (address.length === sizeBytes && masked.has(maskedText(address, prefix))) return true;
    }
    return false;
  }

  #add(bytes: Uint8Array, prefix: number): void {
    const sizeBytes = bytes.length;
    let group = this.#blocks.find((each) => each.sizeBytes === sizeBytes && each.prefix === prefix);
    if (group === undefined) {
      group = { sizeBytes, prefix, masked: new Set() };
      this.#blocks.push(group);
    }
    group.masked.add(maskedText(bytes, prefix));
  }
}

/** Null when it is no block: the mask is missing a number, too long, or the address is malformed. */
export function parseIpBlock(text: string): { bytes: Uint8Array; prefix: number } | null {
  const [address = '', mask, ...rest] = text.split('/');
  const bytes = parseIpAddress(address);
  if (bytes === null || rest.length > 0) return null;
  const bits = bytes.length * 8;
  if (mask === undefined) return { bytes, prefix: bits };
  if (!/^\d{1,3}$/.test(mask)) return null;
  // A block of mapped addresses is written with 96 bits more.
  const isMapped = bytes.length === 4 && address.includes(':');
  const prefix = isMapped ? Number(mask) - 96 : Number(mask);
  return prefix < 0 || prefix > bits ? null : { bytes, prefix };
}

function maskedText(address: Uint8Array, prefix: number): string {
  let text = '';
  for (let i = 0, left = prefix; left > 0; i++, left -= 8) {
    text += String.fromCharCode((address[i] as number) & (left >= 8 ? 255 : 256 - (1 << (8 - left))));
  }
  return text;
}
