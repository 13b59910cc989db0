import * as v from 'valibot';
import { parseAddress } from '../../core/base/address.ts';
import { HeddleError } from '../../core/base/errors.ts';
import { Secret } from '../../core/base/secret.ts';
import { secret } from '../../core/config/schema/values.ts';
import type { FileAccess } from '../../core/contract/registry.ts';

/** What the configurations of registries behind a network have in common. */

/** "host", "host:port" or "[ipv6]:port" of a server. @param usualPort where none is said */
export const serverAddress = (usualPort: number) =>
  v.pipe(
    v.string(),
    v.transform((text) => (parseAddress(text) === null ? `${text}:${usualPort}` : text)),
    v.check((text) => {
      const address = parseAddress(text);
      return address?.kind === 'tcp' && address.port > 0;
    }, '"host", "host:port" or "[ipv6]:port"'),
  );

export const integerFrom = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** The password, or the environment variable or file that has it. */
export const password = v.union([
  secret,
  v.strictObject({ env: v.pipe(v.string(), v.minLength(1)) }),
  v.strictObject({ file: v.pipe(v.string(), v.minLength(1)) }),
]);
type Password = v.InferOutput<typeof password>;

/** Rejects when the file cannot be read, and with ERR_OPTION_INVALID when the environment does not have it. */
export async function readPassword(given: Password, files: FileAccess): Promise<string> {
  if (given instanceof Secret) return given.reveal();
  if ('file' in given) return (await files.readText(given.file)).trimEnd();
  const text = process.env[given.env];
  if (text !== undefined && text !== '') return text;
  throw new HeddleError('ERR_OPTION_INVALID', `the environment has no ${given.env}`);
}
