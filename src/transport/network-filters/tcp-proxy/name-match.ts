const label = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i;

export function isNamePattern(text: string): boolean {
  if (text === '*') return true;
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return name.length > 0 && name.length <= 253 && name.split('.').every((part) => label.test(part));
}

/** Server names: exact ones in a set, "*.example" by walking up the labels. Case does not count. */
export class NameMatch {
  readonly #exact = new Set<string>();
  readonly #below = new Set<string>();
  readonly #any: boolean;

  constructor(patterns: readonly string[]) {
    this.#any = patterns.includes('*');
    for (const pattern of patterns) {
      const name = pattern.toLowerCase();
      if (name.startsWith('*.')) this.#below.add(name.slice(2));
      else this.#exact.add(name);
    }
  }

  has(serverName: string): boolean {
    if (serverName === '') return false;
    if (this.#any) return true;
    const name = serverName.toLowerCase();
    if (this.#exact.has(name)) return true;
    if (this.#below.size === 0) return false;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (this.#below.has(name.slice(dot + 1))) return true;
    }
    return false;
  }
}
