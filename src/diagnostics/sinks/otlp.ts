import { readFile } from 'node:fs/promises';
import type { Sink } from '../../core/contract/sink.ts';
import { decodePprof, encodeOtlp } from '../pprof/index.ts';
import { isSent, post } from './post.ts';

export interface OtlpSinkConfig {
  /** Base address of the collector or the whole address ending in `/profiles`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Sends each profile to `POST /v1development/profiles` (OTLP over HTTP, protobuf; the signal is still alpha). */
export function otlpSink(config: OtlpSinkConfig, service: string): Sink {
  const url = config.url.endsWith('/profiles')
    ? config.url
    : new URL('/v1development/profiles', config.url).href;
  return {
    name: 'otlp',
    deliver: async (capture, signal) => {
      const files = capture.files.filter(isSent);
      const profiles = await Promise.all(
        files.map(async (file) => decodePprof(new Uint8Array(await readFile(file.path)), file.name)),
      );
      if (profiles.length === 0) return;
      const resource = { 'service.name': service, 'process.pid': String(capture.pid), ...capture.labels };
      const body = new Uint8Array(encodeOtlp(profiles, resource));
      const headers = { 'content-type': 'application/x-protobuf', ...config.headers };
      await post({ url, headers, timeoutMs: config.timeoutMs, signal, body });
    },
  };
}
