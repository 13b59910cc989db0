import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { Secret } from '../../core/base/secret.ts';
import type { FileAccess } from '../../core/contract/registry.ts';
import type { SecretSource, SecretSourceDefinition, TlsSecrets } from '../../core/contract/secret-source.ts';
import { readFile, readPem } from './pem.ts';

/** The names of a Kubernetes secret of type kubernetes.io/tls, as cert-manager writes it. */
const names = { cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt', crl: 'ca.crl', ocsp: 'tls.ocsp' } as const;

class DirectorySource implements SecretSource {
  readonly #path: string;
  readonly #files: FileAccess;

  constructor(path: string, files: FileAccess) {
    this.#path = path;
    this.#files = files;
  }

  read(): Partial<TlsSecrets> {
    const at = (file: string): string => join(this.#path, file);
    const optional = (file: string): string | null => (existsSync(at(file)) ? readPem(at(file), file) : null);
    const ocsp = existsSync(at(names.ocsp)) ? readFile(at(names.ocsp), names.ocsp) : null;
    const [ca, crl] = [optional(names.ca), optional(names.crl)];
    return {
      certificates: [
        {
          cert: readPem(at(names.cert), names.cert),
          key: new Secret(readPem(at(names.key), names.key)),
          ocsp,
        },
      ],
      ...(ca !== null && { ca }),
      ...(crl !== null && { crl }),
    };
  }

  watch(onChange: () => void): () => void {
    const unwatch = Object.values(names).map((name) => this.#files.watch(join(this.#path, name), onChange));
    return () => {
      for (const each of unwatch) each();
    };
  }
}

const config = v.strictObject({ path: v.pipe(v.string(), v.minLength(1)) });

/**
 * A mounted Kubernetes secret: tls.crt and tls.key, and ca.crt, ca.crl, tls.ocsp where they are.
 *
 * @example
 * tls: { source: { name: 'directory', config: { path: '/var/run/secrets/tls' } } }
 */
export const directorySecrets: SecretSourceDefinition<v.InferOutput<typeof config>> = {
  name: 'directory',
  config,
  create: ({ path }, { files }) => new DirectorySource(path, files),
};
