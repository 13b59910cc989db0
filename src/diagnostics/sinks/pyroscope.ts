import { readFile } from 'node:fs/promises';
import type { Capture, CaptureFile, Sink } from '../../core/contract/sink.ts';
import { decodePprof } from '../pprof/index.ts';
import { isSent, post } from './post.ts';

export interface PyroscopeSinkConfig {
  readonly url: string;
  readonly application?: string | undefined;
  readonly authToken?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

interface SampleTypeConfig {
  readonly units: string;
  readonly 'display-name': string;
  readonly aggregation: 'sum' | 'average';
  readonly cumulative: false;
  readonly sampled: boolean;
}

/** Sends every pprof file to `POST /ingest` with the parts `profile` and `sample_type_config`. */
export function pyroscopeSink(config: PyroscopeSinkConfig, service: string): Sink {
  return {
    name: 'pyroscope',
    deliver: async (capture, signal) => {
      for (const file of capture.files) {
        if (isSent(file)) await send(config, service, capture, file, signal);
      }
    },
  };
}

async function send(
  config: PyroscopeSinkConfig,
  service: string,
  capture: Capture,
  file: CaptureFile,
  signal: AbortSignal,
): Promise<void> {
  const bytes = new Uint8Array(await readFile(file.path));
  const form = new FormData();
  form.set('profile', new Blob([bytes]), 'profile.pprof');
  form.set(
    'sample_type_config',
    new Blob([JSON.stringify(sampleTypes(bytes, file))]),
    'sample_type_config.json',
  );
  const url = new URL('ingest', config.url.endsWith('/') ? config.url : `${config.url}/`);
  const from = Math.floor(capture.startMs / 1000);
  const query = {
    name: applicationName(config.application ?? service, capture, file),
    from: String(from),
    until: String(Math.max(from + 1, Math.ceil((capture.startMs + capture.durationMs) / 1000))),
    spyName: 'nodespy',
    sampleRate: '100',
    format: 'pprof',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const headers = {
    ...(config.authToken === undefined ? {} : { authorization: `Bearer ${config.authToken}` }),
    ...(config.tenantId === undefined ? {} : { 'x-scope-orgid': config.tenantId }),
    ...config.headers,
  };
  await post({ url: url.href, headers, timeoutMs: config.timeoutMs, signal, body: form });
}

/** `app{tag=value}` keeps its tags; ours join them. A name may stand there once: the user's own counts. */
function applicationName(application: string, capture: Capture, file: CaptureFile): string {
  const [, name = application, given = ''] = /^([^{]*)\{(.*)\}$/.exec(application) ?? [];
  const own = given === '' ? [] : given.split(',').map((tag) => tag.trim());
  const taken = new Set(own.map((tag) => tag.split('=')[0]));
  const tags = {
    ...capture.labels,
    trigger: capture.trigger.rule,
    thread: String(file.threadId),
    kind: file.kind,
  };
  const ours = Object.entries(tags)
    .map(([key, value]) => [key.replaceAll(/[^\w]/g, '_'), value.replaceAll(/[{},="]/g, '_')] as const)
    .filter(([key]) => !taken.has(key));
  return `${name}{${[...own, ...ours.map(([key, value]) => `${key}=${value}`)].join(',')}}`;
}

function sampleTypes(bytes: Uint8Array, file: CaptureFile): Record<string, SampleTypeConfig> {
  const profile = decodePprof(bytes, file.name);
  const isLive = file.kind !== 'cpu' && file.kind !== 'allocations';
  return Object.fromEntries(
    profile.sampleTypes.map(({ type, unit }) => [
      type,
      {
        units: unit,
        'display-name': type,
        aggregation: isLive ? 'average' : 'sum',
        cumulative: false,
        sampled: file.kind === 'cpu',
      },
    ]),
  );
}
