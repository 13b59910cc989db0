const raw = Symbol('raw configuration');

/**
 * Remembers what was written at `record[key]` beside what a schema made of it, for the dump: a schema may turn its
 * input into something that is no plain data or that it would not take again. Hidden from JSON, spread and equality.
 */
export function keepRaw(record: object, key: string, value: unknown): void {
  const holder = record as { [raw]?: Record<string, unknown> };
  if (holder[raw] === undefined) {
    Object.defineProperty(holder, raw, { value: Object.create(null) as Record<string, unknown> });
  }
  (holder[raw] as Record<string, unknown>)[key] = value;
}

/** What was written at `record[key]` where that differs, else what stands there. */
export function rawOf(record: object, key: string): unknown {
  const kept = (record as { [raw]?: Record<string, unknown> })[raw];
  return kept !== undefined && key in kept ? kept[key] : (record as Record<string, unknown>)[key];
}
