import type { FileAccess } from '../../../core/contract/registry.ts';
import { readPassword } from '../config-values.ts';
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
        password: await readPassword(password, files),
      })),
    );
}
