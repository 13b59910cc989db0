/** Contenders that end TLS 1.3 (ECDSA P-256, X25519, no session tickets) and speak plain HTTP/1.1 to the backend. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MeshConfig } from '../../src/core/config/input.ts';
import { CertificateFolder } from '../../src/transport/tls/x509/folder.ts';
import type { Contender, Place } from '../harness/contender.ts';
import { envoy, envoyTlsConfig } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { heddle, launchConfig } from './heddle.ts';
import { standaloneConfig } from './heddle-config.ts';
import { writeJson } from './json-config.ts';
import { nginx } from './nginx.ts';
import { writeConfig } from './template.ts';

const dayMs = 86_400_000;

interface Files {
  readonly cert: string;
  readonly key: string;
  /** Both in one file. */
  readonly both: string;
}

async function certificate(directory: string): Promise<Files> {
  const folder = new CertificateFolder(join(directory, 'certs'));
  await folder.init('bench.local', dayMs);
  const { cert, key } = await folder.issue({ name: 'bench', lifetimeMs: dayMs });
  const both = join(directory, 'certs/both.pem');
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 });
  return { cert, key, both };
}

export const heddleTls: Contender = {
  name: 'heddle tls',
  find: heddle.find,
  async launch(place) {
    const { cert, key } = await certificate(place.directory);
    return launchConfig(place, tlsConfig(place, { cert, key }));
  },
};

function tlsConfig(place: Place, pair: { cert: string; key: string }): MeshConfig {
  const setting = { level: 'bare', hosts: [], backend: `127.0.0.1:${place.backendPort}`, log: '' } as const;
  const config = standaloneConfig(setting, `127.0.0.1:${place.port}`);
  const tls = {
    certificates: [pair],
    minVersion: 'TLSv1.3',
    curves: 'X25519',
    sessionTickets: { enabled: false },
  } as const;
  return { ...config, listeners: (config.listeners ?? []).map((each) => ({ ...each, tls })) };
}

export const haproxyTls: Contender = {
  name: 'haproxy tls',
  isCompiled: true,
  find: haproxy.find,
  async launch(place) {
    const { both } = await certificate(place.directory);
    return { command: place.path, args: ['-db', '-f', writeConfig('haproxy/tls.cfg', place, { both })] };
  },
};

export const nginxTls: Contender = {
  name: 'nginx tls',
  isCompiled: true,
  find: nginx.find,
  async launch(place) {
    const { cert, key } = await certificate(place.directory);
    const config = writeConfig('nginx/tls.conf', place, { cert, key });
    return { command: place.path, args: ['-p', place.directory, '-e', 'stderr', '-c', config] };
  },
};

export const envoyTls: Contender = {
  name: 'Envoy tls',
  isCompiled: true,
  find: envoy.find,
  async launch(place) {
    const file = writeJson(place, 'envoy.json', envoyTlsConfig(place, await certificate(place.directory)));
    const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
    return { command: place.path, args: ['-c', file, ...options] };
  },
};
