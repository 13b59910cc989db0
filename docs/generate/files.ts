import { standard } from '../../src/standard.ts';
import { configPage } from './config-page.ts';
import { configSchema } from './config-schema.ts';
import { errorsPage } from './errors-page.ts';

/** Path to text of every generated file. */
export function generatedFiles(): Record<string, string> {
  const schema = configSchema(standard);
  return {
    'docs/config.schema.json': `${JSON.stringify(schema, null, 2)}\n`,
    'docs/config.md': configPage(schema),
    'docs/errors.md': errorsPage(),
  };
}
