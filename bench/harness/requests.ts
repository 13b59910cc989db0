/** The requests of a run: the same bytes go to every contender, in turn over 200 hosts, as one service calls another. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Replaced by the load generator with the number of the request; the backend's body must begin with it. */
const idMark = '#'.repeat(16);

export interface RequestShape {
  /** How many virtual hosts take part. @default 200 */
  readonly hosts?: number;
  /** Bytes of the request body. @default 0 */
  readonly bodyBytes?: number;
  /** Bytes of the answer. @default 1024 */
  readonly answerBytes?: number;
}

/** The names that requests carry in Host; proxies with a map or virtual hosts know them all. */
export function hostNames(count = 200): string[] {
  return Array.from({ length: count }, (_, index) => `svc${String(index).padStart(3, '0')}.bench.test`);
}

/** The head of request `index`; `id` is 16 characters. */
export function requestHead(host: string, index: number, shape: RequestShape = {}, id = idMark): string {
  const { bodyBytes = 0, answerBytes = 1024 } = shape;
  const lines = [
    `${bodyBytes > 0 ? 'POST' : 'GET'} /api/v1/items/${index}?size=${answerBytes} HTTP/1.1`,
    `Host: ${host}`,
    'User-Agent: service/1.4',
    'Accept: application/json',
    'Origin: https://app.bench.test',
    `X-Tenant: tenant-${index % 16}`,
    `X-Bench-Id: ${id}`,
  ];
  if (bodyBytes > 0) lines.push('Content-Type: application/octet-stream', `Content-Length: ${bodyBytes}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Writes what bench/load/load.c reads: each head with its length before it. */
export function writeRequests(directory: string, shape: RequestShape = {}): string {
  const parts = hostNames(shape.hosts).flatMap((host, index) => {
    const head = Buffer.from(requestHead(host, index, shape), 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length);
    return [length, head];
  });
  const file = join(
    directory,
    `requests-${shape.hosts ?? 200}-${shape.bodyBytes ?? 0}-${shape.answerBytes ?? 1024}`,
  );
  writeFileSync(file, Buffer.concat(parts));
  return file;
}
