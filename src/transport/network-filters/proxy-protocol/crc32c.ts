const polynomial = 0x82f63b78;

/** CRC-32C (Castagnoli, RFC 9260 appendix A), reflected. `node:zlib` has the other polynomial only. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    // A header has some hundred bytes and comes once a connection: no table.
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
