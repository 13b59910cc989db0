import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../harness/contender.ts';

/** Writes a configuration that is built as data (200 virtual hosts are no text to keep by hand). @returns its path. */
export function writeJson(place: Place, name: string, config: unknown): string {
  const file = join(place.directory, name);
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  return file;
}
