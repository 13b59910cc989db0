import type { MosnContext } from './context.ts';
import { hashPolicyOf } from './hash-policy.ts';
import { editKeys, headerEdits } from './header-edits.ts';
import { metadataOf } from './metadata.ts';
import { re2Substitution } from './patterns.ts';
import { retryOf } from './retry-policy.ts';
import type { Keys, Section } from './section.ts';

type ActionKey =
  | 'cluster_name'
  | 'weighted_clusters'
  | 'upstream_protocol'
  | 'hash_policy'
  | 'metadata_match'
  | 'timeout'
  | 'retry_policy'
  | 'prefix_rewrite'
  | 'regex_rewrite'
  | 'host_rewrite'
  | 'auto_host_rewrite'
  | 'auto_host_rewrite_header'
  | (typeof editKeys)[number];

export const actionKeys: Keys<ActionKey> = {
  read: [
    'cluster_name',
    'weighted_clusters',
    'upstream_protocol',
    'hash_policy',
    'metadata_match',
    'timeout',
    'retry_policy',
    'prefix_rewrite',
    'regex_rewrite',
    'host_rewrite',
    'auto_host_rewrite',
    'auto_host_rewrite_header',
    ...editKeys,
  ],
  ineffective: { cluster_header: 'MOSN does not use it' },
  unsupported: { cluster_variable: 'a route names its cluster' },
};

/** MOSN's limit of a request where a route has none. */
const defaultTimeoutMs = 60_000;

/** The part of a native route that forwards. @param codec what the hosts speak */
export function forwardingOf(
  context: MosnContext,
  action: Section<ActionKey>,
  codec: string,
): Record<string, unknown> {
  const shares = sharesOf(context, action, codec);
  const name = action.text('cluster_name');
  const made: Record<string, unknown> = {};
  if (shares.length > 0) {
    if (name !== '')
      action.report.notice(action.at('cluster_name'), name, 'no effect beside weighted_clusters');
    made['weightedClusters'] = shares;
  } else if (name !== '') made['cluster'] = context.clusters.use(name, codec);
  const hashPolicy = hashPolicyOf(action);
  if (hashPolicy !== null) made['hashPolicies'] = [hashPolicy];
  const metadata = metadataOf(action, 'metadata_match');
  if (metadata !== undefined) made['metadataMatch'] = metadata;
  made['timeoutMs'] = action.durationMs('timeout') ?? defaultTimeoutMs;
  made['retry'] = retryOf(context, action);
  const rewrite = rewriteOf(action);
  if (rewrite !== null) made['rewrite'] = rewrite;
  return { ...made, ...headerEdits(context, action) };
}

function sharesOf(context: MosnContext, action: Section<ActionKey>, codec: string): object[] {
  return action.sections('weighted_clusters', { read: ['cluster'] }).flatMap((weighted) => {
    const share = weighted.section('cluster', { read: ['name', 'weight', 'metadata_match'] });
    if (share === null) return [];
    const metadata = metadataOf(share, 'metadata_match');
    const made = {
      cluster: context.clusters.use(share.required('name'), codec),
      weight: share.count('weight') ?? 0,
      ...(metadata === undefined ? {} : { metadataMatch: metadata }),
    };
    const keys = {
      cluster: share.at('name'),
      weight: share.at('weight'),
      metadataMatch: share.at('metadata_match'),
    };
    return [context.origins.mark(made, share, keys)];
  });
}

function rewriteOf(action: Section<ActionKey>): Record<string, unknown> | null {
  const made: Record<string, unknown> = {};
  const prefix = action.text('prefix_rewrite');
  const host = action.text('host_rewrite');
  if (prefix !== '') made['prefix'] = prefix;
  const header = action.text('auto_host_rewrite_header');
  if (host !== '') made['host'] = host;
  else if (header !== '') made['hostFromHeader'] = header;
  const regex = action.section('regex_rewrite', { read: ['pattern', 'substitution'] });
  const pattern = regex?.section('pattern', {
    read: ['regex'],
    ineffective: { google_re2: 'patterns always run in linear time' },
  });
  const source = pattern?.text('regex') ?? '';
  if (source !== '' && prefix !== '') {
    action.report.notice(action.at('regex_rewrite'), source, 'no effect beside prefix_rewrite');
  } else if (source !== '') {
    const substitution = re2Substitution(regex?.text('substitution') ?? '');
    if (substitution !== null) made['regex'] = { pattern: source, substitution };
    else if (regex) {
      const what = 'a substitution with groups 0 to 9 only, such as $1';
      action.report.problem(regex.at('substitution'), regex.text('substitution'), what);
    }
  }
  if (action.flag('auto_host_rewrite')) {
    action.report.unsupported(
      action.at('auto_host_rewrite'),
      true,
      'the authority is not taken from the host that was chosen',
    );
  }
  return Object.keys(made).length === 0 ? null : made;
}
