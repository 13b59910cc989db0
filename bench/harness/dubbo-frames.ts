/** The Dubbo frames and configurations of the benches: 416 bytes to ask, 414 to answer, 200 services. */
import type { MeshConfig } from '../../src/core/config/input.ts';
import { HessianWriter } from '../../src/transport/codecs/hessian/writer.ts';

export const services: readonly string[] = Array.from(
  { length: 200 },
  (_, index) => `com.example.bench.facade.Service${String(index).padStart(3, '0')}`,
);

const requestBytes = 416;
export const answerBytes = 414;

function frame(flag: number, status: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.set([0xda, 0xbb, flag, status]);
  header.writeInt32BE(body.length, 12);
  return Buffer.concat([header, body]);
}

export function requestFrame(index: number): Buffer {
  const service = services[index % services.length] as string;
  const attachments = {
    path: service,
    interface: service,
    version: '1.0.0',
    timeout: '3000',
    app: `app-${index % 10}`,
    zone: 'z1',
  };
  const body = (argument: string): Buffer =>
    new HessianWriter()
      .string('2.0.2')
      .string(service)
      .string('1.0.0')
      .string('query')
      .string('Ljava/lang/String;')
      .string(argument)
      .map(attachments)
      .bytes();
  const missing = requestBytes - 16 - body('q'.repeat(32)).length;
  return frame(0xc2, 0, body('q'.repeat(32 + missing)));
}

/** As Java answers a consumer of 2.0.2: a value and attachments. */
export function responseFrame(): Buffer {
  const body = (value: string): Buffer =>
    new HessianWriter().int(4).string(value).map({ dubbo: '2.0.2' }).bytes();
  const missing = answerBytes - 16 - body('r'.repeat(32)).length;
  return frame(0x02, 20, body('r'.repeat(32 + missing)));
}

/** The six filters at work. */
export const filterNames: readonly string[] = [
  'ip-access',
  'payload-limit',
  'local-rate-limit',
  'header-to-metadata',
  'header-mutation',
  'fault',
];

/** A proxy that routes 200 services by their name. */
export function dubboConfig(backend: string, address: string, admin: string): MeshConfig {
  return {
    listeners: [
      {
        name: 'main',
        address,
        codec: 'dubbo',
        limits: { maxConnections: 20_000 },
        tracing: { enabled: false },
        filters: [
          { name: 'ip-access', config: { allow: ['127.0.0.0/8', '10.0.0.0/8', '192.168.0.0/16'] } },
          { name: 'payload-limit', config: { maxBytes: 1_048_576 } },
          { name: 'local-rate-limit', config: { bucket: { maxTokens: 1e9, tokensPerFill: 1e9 } } },
          { name: 'header-to-metadata', config: { request: [{ header: 'app', onPresent: { key: 'app' } }] } },
          {
            name: 'header-mutation',
            config: {
              removeRequestHeaders: ['internal'],
              requestHeaders: [{ name: 'zone', value: 'unknown', action: 'addIfAbsent' }],
            },
          },
          { name: 'fault', config: { abort: { status: 503, percent: 0 } } },
        ],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: services.map((service) => ({
              match: { prefix: '/', variables: [{ name: 'service', exact: service }] },
              cluster: 'provider',
            })),
          },
        ],
      },
    ],
    clusters: [
      {
        name: 'provider',
        codec: 'dubbo',
        endpoints: [backend],
        loadBalancer: 'leastRequest',
        circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 0 },
      },
    ],
    admin: { address: admin },
    log: { level: 'warn' },
  };
}
