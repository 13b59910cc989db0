/** An address of 4 or 16 bytes as text (RFC 5952); ::ffff:1.2.3.4 is written 1.2.3.4, as lists name it. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number),
  );
  if (groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xffff) {
    return bytes.slice(12).join('.');
  }
  const { at, length } = longestZeros(groups);
  const hex = groups.map((each) => each.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, at).join(':')}::${hex.slice(at + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly number[]): { at: number; length: number } {
  let best = { at: 0, length: 0 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
    at += length;
  }
  return best;
}
