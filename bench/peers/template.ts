/** Fills a peer's configuration file: `{{name}}` becomes the value of that name. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Place } from '../harness/contender.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** @throws Error for a name that has no value, so that a typing error does not reach the peer. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the template names ${whole}, which has no value`);
    return String(value);
  });
}

/**
 * Writes a filled copy of `bench/peers/TEMPLATE` into the contender's directory and gives its path. Every template may
 * use `port`, `adminPort`, `backendPort` and `directory`.
 */
export function writeConfig(
  template: string,
  place: Place,
  values: Readonly<Record<string, string | number>> = {},
): string {
  const { port, adminPort, backendPort, directory } = place;
  const text = readFileSync(join(here, template), 'utf8');
  const file = join(directory, template.replaceAll('/', '-'));
  writeFileSync(file, fill(text, { port, adminPort, backendPort, directory, ...values }));
  return file;
}
