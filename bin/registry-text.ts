/** What `GET /v1/registry/list` answers. */
export interface Listed {
  readonly publications: readonly {
    readonly service: string;
    readonly endpoint: { readonly address: string; readonly weight: number };
    readonly ttlMs: number;
    readonly registries: readonly { readonly registry: string; readonly state: string }[];
  }[];
  readonly subscriptions: readonly {
    readonly service: string;
    readonly isKnown: boolean;
    readonly endpoints: readonly { readonly address: string }[];
  }[];
  readonly state: { readonly status: string; readonly reason: string };
}

/** Columns for people. */
export function listText({ publications, subscriptions, state }: Listed): string {
  const published = publications.map(({ service, endpoint, ttlMs, registries }) => [
    service,
    endpoint.address,
    `weight ${endpoint.weight}`,
    ttlMs === 0 ? '' : `ttl ${ttlMs} ms`,
    registries.map((each) => `${each.registry}: ${each.state}`).join(', '),
  ]);
  const asked = subscriptions.map(({ service, isKnown, endpoints }) => [
    service,
    isKnown ? `${endpoints.length} addresses` : 'not known yet',
    endpoints
      .slice(0, 5)
      .map((each) => each.address)
      .join(', ') + (endpoints.length > 5 ? ', ...' : ''),
  ]);
  const lines = [
    ...section('published', published),
    ...section('subscribed', asked),
    ...(state.reason === '' ? [] : [`${state.status}: ${state.reason}`]),
  ];
  return lines.join('\n');
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [`${title}: nothing`];
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [`${title}:`, ...rows.map((row) => `  ${line(row)}`)];
}
