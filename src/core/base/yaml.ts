import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** The package `yaml`, loaded where the first text is read (the package as published holds it as one file). */
export function loadYaml(): typeof Yaml {
  const require = createRequire(import.meta.url);
  return require('yaml') as typeof Yaml;
}
