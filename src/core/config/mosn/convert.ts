import type { ExtensionSet } from '../extensions.ts';
import type { ConfigPath, Problem } from '../problems.ts';
import { adminOf } from './admin.ts';
import { ClusterUses } from './cluster-uses.ts';
import { clustersOf } from './clusters.ts';
import type { MosnContext, MosnOptions } from './context.ts';
import { tellOfMetrics } from './metrics.ts';
import { Origins } from './origins.ts';
import { type Notice, type Place, Report, type Source } from './report.ts';
import { type Keys, Section } from './section.ts';
import { serverParts } from './server.ts';
import { isTraced } from './tracing.ts';

const rootKeys: Keys<'servers' | 'cluster_manager' | 'tracing' | 'metrics' | 'admin'> = {
  read: ['servers', 'cluster_manager', 'tracing', 'metrics', 'admin'],
  ineffective: {
    disable_upgrade: 'an upgrade is asked for, never begun by a file',
    close_graceful: 'an upgrade is asked for, never begun by a file',
    inherit_old_mosnconfig: 'a successor reads its own file',
    pprof: 'the monitor takes profiles: "heddle watch"',
    pid: 'whoever starts the process knows its number',
    uds_dir: 'an upgrade uses no named sockets',
    plugin: 'there are no plugin processes',
    node: 'only xDS uses it',
  },
  unsupported: {
    dynamic_resources: 'there is no xDS',
    static_resources: 'there is no xDS',
    third_part_codec: 'codecs are given to createMesh',
    extends: 'MOSN runs code that is compiled into it; holmes rules go to "heddle watch"',
  },
  refused: {
    wasm_global_plugins: 'WebAssembly filters do not run here, and nobody can tell what they guard',
  },
};

/** A MOSN configuration as a native one. */
interface MosnConversion {
  /** Goes to `checkConfig`. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
  /** Where a part of `input` stands in the MOSN file. */
  readonly origin: (path: ConfigPath) => Place | null;
}

/**
 * Turns a MOSN v2 configuration (JSON as its Go code reads it: keys in any case) into a native one. What MOSN reads and
 * has no effect here or there is a notice, what cannot be done here a problem; docs/mosn.md lists both.
 *
 * @param source the text's place; `source.value` is the configuration, read
 */
export function convertMosn(
  source: Source,
  extensions: ExtensionSet,
  options: MosnOptions = {},
): MosnConversion {
  const report = new Report(options.lenient ?? false);
  const origins = new Origins();
  const context: MosnContext = { report, origins, clusters: new ClusterUses(), extensions, options };
  const root = Section.open(report, { source, path: [] }, source.value, rootKeys);
  const input = root === null ? {} : inputOf(context, root);
  return {
    input,
    problems: report.problems,
    notices: report.notices,
    origin: (path) => origins.find(input, path),
  };
}

function inputOf(
  context: MosnContext,
  root: Section<'servers' | 'cluster_manager' | 'tracing' | 'metrics' | 'admin'>,
): Record<string, unknown> {
  const enabled = isTraced(context, root);
  tellOfMetrics(context, root);
  const { listeners = [], ...server } = serverParts(context, root);
  const traced = (listeners as object[]).map((listener) => Object.assign(listener, { tracing: { enabled } }));
  const clusters = clustersOf(context, root);
  const admin = adminOf(context, root);
  const input = { listeners: traced, clusters, ...server, ...(admin === null ? {} : { admin }) };
  const keys = { listeners: root.at('servers'), clusters: root.at('cluster_manager') };
  return context.origins.mark(input, root, keys);
}
