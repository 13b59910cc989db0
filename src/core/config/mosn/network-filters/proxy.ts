import type { MosnContext } from '../context.ts';
import { downstreamCodecs } from '../protocols.ts';
import type { Keys, Section } from '../section.ts';

type ProxyKey =
  | 'downstream_protocol'
  | 'fallback_for_unknown_protocol'
  | 'router_config_name'
  | 'extend_config';

export const proxyKeys: Keys<ProxyKey> = {
  read: ['downstream_protocol', 'fallback_for_unknown_protocol', 'router_config_name', 'extend_config'],
  ineffective: {
    name: 'the listener has a name',
    upstream_protocol: 'MOSN does not use it; a route may name its upstream_protocol',
    validate_clusters: 'routes to clusters that do not exist are always refused',
    concurrency_num: 'streams of one connection keep their order',
  },
  unsupported: { router_handler_name: 'routes are chosen by the built-in router only' },
};

/** How long MOSN waits for bytes that decide. */
const detectMs = 15_000;
/** MOSN's limit of a request head. */
const defaultHeaderBytes = 8192;

/** What the filter `proxy` says about the connections of its listener. */
export interface ProxyParts {
  /** Codecs it speaks. */
  readonly codecs: readonly string[];
  /** Native `codec`. */
  readonly codec: string | object;
  /** Native `limits`. */
  readonly limits: Readonly<Record<string, number>>;
  readonly router: string;
  readonly hasFallback: boolean;
}

export function proxyParts(context: MosnContext, proxy: Section<ProxyKey>): ProxyParts {
  const extend = proxy.section('extend_config', {
    read: ['sub_protocol', 'Http1', 'max_header_size', 'max_request_body_size'],
    ineffective: {
      http2_use_stream: 'bodies always stream',
      enable_bolt_goaway: 'a drain sends GOAWAY where the codec knows it',
      Http2: 'bodies always stream',
      bolt: 'a drain sends GOAWAY where the codec knows it',
      boltv2: 'a drain sends GOAWAY where the codec knows it',
      dubbo: 'nothing to set',
    },
  });
  const at = proxy.at('downstream_protocol');
  const codecs = downstreamCodecs(
    context,
    proxy.required('downstream_protocol'),
    extend?.text('sub_protocol') ?? '',
    at,
  );
  const hasFallback = proxy.flag('fallback_for_unknown_protocol');
  const isDetected = hasFallback || codecs.length > 1;
  // MOSN still reads the form of old, without the protocol between.
  const http1 = extend?.section('Http1', { read: ['max_header_size', 'max_request_body_size'] }) ?? extend;
  const limits: Record<string, number> = {
    maxHeaderBytes: http1?.count('max_header_size') ?? defaultHeaderBytes,
  };
  const maxBodyBytes = http1?.count('max_request_body_size');
  if (maxBodyBytes !== undefined) limits['maxBodyBytes'] = maxBodyBytes;
  return {
    codecs,
    codec: isDetected
      ? context.origins.mark({ name: 'detect', config: { codecs, timeoutMs: detectMs } }, at)
      : (codecs[0] as string),
    limits,
    router: proxy.text('router_config_name'),
    hasFallback,
  };
}
