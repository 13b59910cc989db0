import { HeddleError } from '../../../core/base/errors.ts';
import { Secret } from '../../../core/base/secret.ts';
import type { FileAccess } from '../../../core/contract/registry.ts';
import type { Credentials } from './client/authentication.ts';
import type { ZooKeeperConfig } from './config.ts';

/** @returns null where there are none; what it gives is for one connection. It rejects when a password cannot be had */
export function credentialsOf(
  { auth }: ZooKeeperConfig,
  files: FileAccess,
): (() => Promise<Credentials[]>) | null {
  if (auth.length === 0) return null;
  return () =>
    Promise.all(
      auth.map(async ({ kind, user, password }) => ({
        kind,
        user,
        password: await passwordOf(password, files),
      })),
    );
}

async function passwordOf(
  given: ZooKeeperConfig['auth'][number]['password'],
  files: FileAccess,
): Promise<string> {
  if (given instanceof Secret) return given.reveal();
  if ('file' in given) return (await files.readText(given.file)).trimEnd();
  const text = process.env[given.env];
  if (text !== undefined && text !== '') return text;
  throw new HeddleError('ERR_OPTION_INVALID', `the environment has no ${given.env}`);
}
