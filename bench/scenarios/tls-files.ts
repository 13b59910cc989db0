import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A key and a self-signed certificate for the run; undefined where there is no openssl. */
export function makeTlsDirectory(parent: string): string | undefined {
  const directory = join(parent, 'tls');
  mkdirSync(directory, { recursive: true });
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(directory, 'key.pem'),
  ];
  const certificate = ['-out', join(directory, 'cert.pem'), '-days', '2', '-subj', '/CN=localhost'];
  try {
    execFileSync('openssl', ['req', '-x509', ...key, ...certificate], { stdio: 'ignore' });
    return directory;
  } catch {
    return undefined;
  }
}
