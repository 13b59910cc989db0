import test from 'ava';
import { converted, mosn, noticesOf, problemsOf } from './support.ts';

const files = { status: true, cert_chain: '/etc/own.pem', private_key: '/etc/own.key' };
const full = {
  ...files,
  server_name: 'peer.local',
  ca_cert: '/etc/ca.pem',
  verify_client: true,
  require_client_cert: true,
  alpn: 'h2,http/1.1',
  cipher_suites: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-WITH-CHACHA20-POLY1305',
  ecdh_curves: 'x25519,P256',
  min_version: 'tlsv1_2',
  max_version: 'tlsv1_2',
};
const ciphers =
  'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305';

test('tls_context of a listener becomes its tls', (t) => {
  const config = converted(mosn({ chain: { tls_context: full }, listener: { inspector: true } }));
  t.like(config.listeners[0]?.tls, {
    certificates: [{ cert: '/etc/own.pem', key: '/etc/own.key' }],
    ca: '/etc/ca.pem',
    clientCertificate: 'required',
    allowPlain: true,
    alpn: ['h2', 'http/1.1'],
    ciphers,
    curves: 'X25519:P-256',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
  });
});

test('client certificates: verify_client takes one that is given, require_client_cert alone looks at none', (t) => {
  const of = (more: object): string | undefined =>
    converted(mosn({ chain: { tls_context: { ...files, ca_cert: '/ca.pem', ...more } } })).listeners[0]?.tls
      ?.clientCertificate;
  t.is(of({}), 'none');
  t.is(of({ verify_client: true }), 'optional');
  t.is(of({ verify_client: true, require_client_cert: true }), 'required');
  t.is(of({ require_client_cert: true }), 'none');
});

test('several contexts become several certificates where they differ in nothing else', (t) => {
  const other = { ...files, cert_chain: '/etc/other.pem', private_key: '/etc/other.key' };
  const off = { ...files, status: false };
  const config = converted(mosn({ chain: { tls_context_set: [files, off, other] } }));
  t.deepEqual(
    config.listeners[0]?.tls?.certificates.map(({ cert }) => cert),
    ['/etc/own.pem', '/etc/other.pem'],
  );
  const strict = mosn({
    chain: { tls_context_set: [files, { ...other, ca_cert: '/ca.pem', verify_client: true }] },
  });
  t.regex(problemsOf(strict, { lenient: true }).join(), /tls_context_set\[1\]\.verify_client: true/);
});

test('tls_context of a cluster, of all clusters, and hosts without', (t) => {
  const hosts = [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:2', tls_disable: true }];
  const own = { status: true, server_name: 'peer.local', ca_cert: '/etc/ca.pem', fall_back: true };
  const config = converted(mosn({ cluster: { hosts, tls_context: own } }));
  t.like(config.clusters[0]?.tls, {
    ca: '/etc/ca.pem',
    serverName: 'peer.local',
    fallBackToPlain: true,
    allowPlainHosts: true,
    insecureSkipVerify: false,
  });
  t.deepEqual(
    config.clusters[0]?.endpoints.map(({ metadata }) => metadata),
    [{}, { tls: 'off' }],
  );
  const [cluster] = (mosn()['cluster_manager'] as { clusters: object[] }).clusters;
  const common = mosn({
    root: {
      cluster_manager: {
        tls_context: { ...files, insecure_skip: true },
        clusters: [{ ...cluster, cluster_manager_tls: true }],
      },
    },
  });
  t.like(converted(common).clusters[0]?.tls, {
    certificate: { cert: '/etc/own.pem', key: '/etc/own.key' },
    insecureSkipVerify: true,
  });
});

test('TLS that is off is none, and a listener may fall back for want of a certificate', (t) => {
  const off = converted(mosn({ chain: { tls_context: { status: false } }, cluster: { tls_context: {} } }));
  t.is(off.listeners[0]?.tls, undefined);
  t.is(off.clusters[0]?.tls, undefined);
  const without = mosn({ chain: { tls_context: { status: true, fall_back: true } } });
  t.is(converted(without).listeners[0]?.tls, undefined);
  t.regex(noticesOf(without).join(), /tls_context\.fall_back: no TLS/);
});

test('what verifies in a way that is not known, and what is wrong, is a problem at its place', (t) => {
  const told = (tls: object): string =>
    problemsOf(mosn({ chain: { tls_context: { ...files, ...tls } } }), { lenient: true }).join();
  t.regex(told({ type: 'mine' }), /tls_context\.type/);
  t.regex(told({ extend_verify: { a: 1 } }), /tls_context\.extend_verify/);
  t.regex(told({ sds_source: { CertificateConfig: {} } }), /tls_context\.sds_source/);
  t.regex(told({ cipher_suites: 'NONE' }), /cipher_suites: "NONE"/);
  t.regex(told({ ecdh_curves: 'p1' }), /ecdh_curves/);
  t.regex(told({ max_version: 'tlsv1_1' }), /max_version/);
  t.regex(told({ min_version: 'ssl3' }), /min_version/);
  t.regex(told({ alpn: 'spdy' }), /alpn/);
  t.regex(told({ verify_client: true }), /tls_context/);
  t.regex(told({ cert_chain: '' }), /tls_context\.cert_chain/);
  t.regex(problemsOf(mosn({ chain: { tls_context: { status: true } } })).join(), /cert_chain/);
});
