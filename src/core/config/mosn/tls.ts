import type { Keys, Section } from './section.ts';

/** Every key is read by MOSN; what stands in them matters once TLS is spoken. */
export const tlsKeys: Keys<'status'> = {
  read: [
    'status',
    ...([
      'type',
      'server_name',
      'ca_cert',
      'cert_chain',
      'private_key',
      'verify_client',
      'require_client_cert',
      'insecure_skip',
      'cipher_suites',
      'ecdh_curves',
      'min_version',
      'max_version',
      'alpn',
      'ticket',
      'fall_back',
      'extend_verify',
      'callbacks',
      'sds_source',
    ] as unknown as 'status'[]),
  ],
};

/** TLS that is switched on is never left out. @param consequence what would happen without it */
export function refuseTls(tls: Section<'status'> | null, consequence: string): void {
  if (tls === null || !tls.flag('status')) return;
  tls.report.refuse(tls.at('status'), true, `TLS is not spoken yet, and ${consequence}`);
}
