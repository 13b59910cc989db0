import type { FaultTolerance } from '../cluster-uses.ts';
import type { MosnContext } from '../context.ts';
import type { Place } from '../report.ts';
import type { MirrorFilter } from '../routes.ts';
import { Section } from '../section.ts';
import type { FilterConversion } from './conversion.ts';
import { fault } from './fault.ts';
import { faultToleranceOf } from './fault-tolerance.ts';
import { grpcMetric } from './grpc-metric.ts';
import { headerToMetadata } from './header-to-metadata.ts';
import { ipAccess } from './ip-access.ts';
import { payloadLimit } from './payload-limit.ts';

/** By MOSN's name. */
export const streamFilters: Readonly<Record<string, FilterConversion>> = {
  fault,
  payload_limit: payloadLimit,
  ip_access: ipAccess,
  header_to_metadata: headerToMetadata,
  grpc_metric: grpcMetric,
};

/** Filters that may be missing without harm to anybody: a notice. */
const harmless: Readonly<Record<string, string>> = {
  gzip: 'answers are sent as the upstream made them',
  dubbo_stream: 'metrics of all streams are kept anyway',
  healthcheck: 'MOSN itself has none any more',
  'istio.stats': 'metrics of all streams are kept anyway',
  flowControlFilter: 'Sentinel rules are not read yet; the filter local-rate-limit limits requests',
};
/** Filters without which requests go wrong: a problem, left out under `--lenient`. */
const needed: Readonly<Record<string, string>> = {
  transcoder: 'protocols are not translated by rules',
  dsl: 'there is no CEXL',
  seata: 'there are no Seata transactions',
};
/** Filters that decide who may do what: never left out. */
const guards: Readonly<Record<string, string>> = {
  jwt_authn: 'tokens are not checked yet',
  rbac: 'there are no RBAC rules yet',
  mixer: 'there is no Mixer',
  proxywasm: 'WebAssembly filters do not run here, and nobody can tell what this one guards',
};

/** The stream filters of one listener. */
export interface ConvertedFilters {
  readonly filters: readonly object[];
  /** Native names by MOSN's. */
  readonly names: ReadonlyMap<string, string>;
  readonly mirror: MirrorFilter | null;
  readonly faultTolerance: FaultTolerance | null;
}

export function convertStreamFilters(
  context: MosnContext,
  listener: Section<'stream_filters'>,
): ConvertedFilters {
  const filters: object[] = [];
  const names = new Map<string, string>();
  let mirror: MirrorFilter | null = null;
  let faultTolerance: FaultTolerance | null = null;
  for (const filter of listener.sections('stream_filters', {
    read: ['type', 'config', 'go_plugin_config'],
  })) {
    const type = filter.required('type');
    const config = filter.raw('config');
    const place = filter.at('config');
    if (filter.has('go_plugin_config')) {
      const why = 'Go plugins do not run here, and nobody can tell what this one guards';
      context.report.refuse(filter.at('go_plugin_config'), type, why);
    } else if (type === 'mirror') mirror = mirrorOf(context, config, place);
    else if (type === 'transcoder' && bridgesHttp(config)) {
      context.report.notice(
        filter.at('type'),
        type,
        'no effect: codecs bridge the versions of HTTP by themselves',
      );
    } else if (type === 'fault_tolerance') faultTolerance = faultToleranceOf(context, config, place);
    else if (type !== '') {
      const made = convertOne(context, filter);
      if (made === null) continue;
      names.set(type, made.name);
      filters.push(context.origins.mark(made, filter, { name: filter.at('type') }));
    }
  }
  return { filters, names, mirror, faultTolerance };
}

function convertOne(
  context: MosnContext,
  filter: Section<'type' | 'config'>,
): { name: string; config?: unknown } | null {
  const { report, extensions } = context;
  const type = filter.text('type');
  const at = filter.at('type');
  const config = filter.raw('config');
  const convert = Object.hasOwn(streamFilters, type) ? streamFilters[type] : undefined;
  if (convert !== undefined) {
    const made = convert.create(context, config, filter.at('config'));
    return made === null ? null : { name: convert.name, config: made.config };
  }
  if (Object.hasOwn(harmless, type)) report.notice(at, type, `left out: ${harmless[type]}`);
  else if (Object.hasOwn(needed, type)) report.unsupported(at, type, needed[type] as string);
  else if (Object.hasOwn(guards, type)) report.refuse(at, type, guards[type] as string);
  // A filter of the user's own, given to createMesh, takes its configuration as it stands.
  else if (extensions.filters.some((each) => each.name === type)) return { name: type, config: config ?? {} };
  else {
    const known = [...Object.keys(streamFilters), 'mirror', 'fault_tolerance', ...Object.keys(harmless)];
    const why =
      'a stream filter that is known here; MOSN skips one it does not know, which may open what it guarded';
    report.problem(at, type, why, known);
  }
  return null;
}

/** Whether a transcoder does no more than what needs none here. */
function bridgesHttp(config: unknown): boolean {
  const { type, rules } = (config ?? {}) as { type?: unknown; rules?: unknown };
  return rules === undefined && (type === 'httpTohttp2' || type === 'http2Tohttp');
}

function mirrorOf({ report }: MosnContext, config: unknown, place: Place): MirrorFilter | null {
  const given = Section.open(report, place, config ?? {}, { read: ['amplification', 'broadcast'] });
  if (given === null) return null;
  return { amplification: given.count('amplification') ?? 1, broadcast: given.flag('broadcast') };
}
