/** The Bolt frames and configurations of the benches: 416 bytes to ask, 414 to answer, 200 services. */
import type { MeshConfig } from '../../src/core/config/input.ts';

export const services: readonly string[] = Array.from(
  { length: 200 },
  (_, index) => `com.example.bench.facade.Service${String(index).padStart(3, '0')}:1.0`,
);

const className = 'com.alipay.sofa.rpc.core.request.SofaRequest';
export const requestBytes = 416;
export const answerBytes = 414;

function pair(key: string, value: string): Buffer {
  const bytes = Buffer.alloc(8 + key.length + value.length);
  bytes.writeInt32BE(key.length, 0);
  bytes.write(key, 4, 'latin1');
  bytes.writeInt32BE(value.length, 4 + key.length);
  bytes.write(value, 8 + key.length, 'latin1');
  return bytes;
}

/** @param contentBytes @default fills the frame to 416 bytes */
export function requestFrame(index: number, id: number, contentBytes?: number): Buffer {
  const service = services[index % services.length] as string;
  const map = Buffer.concat([
    pair('service', service),
    pair('sofa_head_method_name', 'query'),
    pair('app', `app-${index % 10}`),
    pair('zone', 'z1'),
  ]);
  const content = contentBytes ?? requestBytes - 22 - className.length - map.length;
  const frame = Buffer.alloc(22 + className.length + map.length + content, 'q');
  frame.set([1, 1, 0, 1, 1, 0, 0, 0, 0, 1], 0);
  frame.writeUInt32BE(id, 5);
  frame.writeInt32BE(3000, 10);
  frame.writeUInt16BE(className.length, 14);
  frame.writeUInt16BE(map.length, 16);
  frame.writeUInt32BE(content, 18);
  frame.write(className, 22, 'latin1');
  map.copy(frame, 22 + className.length);
  return frame;
}

export function responseFrame(id: number, contentBytes = answerBytes - 20 - 46): Buffer {
  const name = 'com.alipay.sofa.rpc.core.response.SofaResponse';
  const frame = Buffer.alloc(20 + name.length + contentBytes, 'r');
  frame.set([1, 0, 0, 2, 1, 0, 0, 0, 0, 1, 0, 0], 0);
  frame.writeUInt32BE(id, 5);
  frame.writeUInt16BE(name.length, 12);
  frame.writeUInt16BE(0, 14);
  frame.writeUInt32BE(contentBytes, 16);
  frame.write(name, 20, 'latin1');
  return frame;
}

/** All at the one backend. */
const clusterCount = 1;

export interface BoltSetting {
  /** "host:port" of the backend. */
  readonly backend: string;
  /** `full`: six filters at work; `edited`: and headers change in both directions. */
  readonly level: 'bare' | 'full' | 'edited';
}

/** The six filters of the level `full`. */
export const filterNames: readonly string[] = [
  'ip-access',
  'payload-limit',
  'local-rate-limit',
  'header-to-metadata',
  'header-mutation',
  'fault',
];

/** A proxy that routes 200 services by the header `service`. */
export function boltConfig({ backend, level }: BoltSetting, address: string, admin?: string): MeshConfig {
  const filters = [
    { name: 'ip-access', config: { allow: ['127.0.0.0/8', '10.0.0.0/8', '192.168.0.0/16'] } },
    { name: 'payload-limit', config: { maxBytes: 1_048_576 } },
    { name: 'local-rate-limit', config: { bucket: { maxTokens: 1e9, tokensPerFill: 1e9 } } },
    { name: 'header-to-metadata', config: { request: [{ header: 'app', onPresent: { key: 'app' } }] } },
    {
      name: 'header-mutation',
      config: {
        removeRequestHeaders: ['internal'],
        requestHeaders: [
          { name: 'zone', value: 'unknown', action: level === 'edited' ? 'overwrite' : 'addIfAbsent' },
        ],
        ...(level === 'edited' && {
          responseHeaders: [{ name: 'served-by', value: 'heddle', action: 'overwrite' }],
        }),
      },
    },
    { name: 'fault', config: { abort: { status: 503, percent: 0 } } },
  ] as const;
  return {
    listeners: [
      {
        name: 'main',
        address,
        codec: 'bolt',
        limits: { maxConnections: 20_000 },
        tracing: { enabled: false },
        filters: level === 'bare' ? [] : filters,
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: services.map((service, index) => ({
              match: { prefix: '/', headers: [{ name: 'service', exact: service }] },
              cluster: `cluster-${index % clusterCount}`,
            })),
          },
        ],
      },
    ],
    clusters: Array.from({ length: clusterCount }, (_, index) => ({
      name: `cluster-${index}`,
      codec: 'bolt',
      endpoints: [backend],
      loadBalancer: 'leastRequest',
      circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 0 },
    })),
    ...(admin !== undefined && { admin: { address: admin } }),
    log: { level: 'warn' },
  };
}
