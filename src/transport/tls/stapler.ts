import { createServer, type Server } from 'node:tls';
import type { TlsSecrets } from '../../core/contract/secret-source.ts';
import type { ServerContexts } from './contexts.ts';

/** A server that never listens: Node.js asks the `server` of a TLS socket for staples, and it alone. */
export type Stapler = Server;

/** Staples what the contexts have for the certificate that is shown (RFC 6066 §8). */
export function createStapler(contexts: ServerContexts, { certificates }: TlsSecrets): Stapler {
  const [first] = certificates;
  // Its own context tells which certificate is shown to clients that give no server name.
  const stapler = createServer(
    first === undefined ? {} : { cert: first.cert, key: first.key.reveal(), honorCipherOrder: true },
  );
  stapler.on('OCSPRequest', (certificate, _issuer, done) => {
    const staple = contexts.stapleOf(certificate);
    // @types/node knows no null; without a staple the handshake goes on.
    (done as (error: Error | null, staple: Buffer | null) => void)(null, staple);
  });
  return stapler;
}
