/** Port numbers and ranges, "80" or "7000-7010", both ends included. */
export class PortRanges {
  readonly #ranges: readonly (readonly [number, number])[];

  constructor(texts: readonly string[]) {
    this.#ranges = texts.flatMap((text) => {
      const range = parsePortRange(text);
      return range === null ? [] : [range];
    });
  }

  has(port: number): boolean {
    for (const [first, last] of this.#ranges) if (port >= first && port <= last) return true;
    return false;
  }
}

/** Null when it is neither a port nor a range that goes upwards. */
export function parsePortRange(text: string): readonly [number, number] | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first >= 1 && first <= last && last <= 65_535 ? [first, last] : null;
}
