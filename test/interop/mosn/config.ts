/** Addresses that the MOSN file of the check names. */
export interface Places {
  readonly listener: string;
  readonly admin: string;
  /** Upstreams that tell their name and what they were asked. */
  readonly a: string;
  readonly b: string;
  readonly c: string;
  /** Nobody listens there. */
  readonly dead: string;
  /** A folder for logs. */
  readonly folder: string;
}

type Json = Readonly<Record<string, unknown>>;

const to = (cluster_name: string, more: Json = {}): Json => ({ route: { cluster_name, ...more } });
const on = (match: Json, action: Json): Json => ({ match, ...action });
const add = (key: string, value: string, append?: boolean): Json => ({
  header: { key, value },
  ...(append === undefined ? {} : { append }),
});
const simple = (name: string, ...addresses: string[]): Json => ({
  name,
  type: 'SIMPLE',
  lb_type: 'LB_ROUNDROBIN',
  connect_timeout: '500ms',
  hosts: addresses.map((address) => ({ address })),
});

const exactHost: Json = {
  name: 'exact',
  domains: ['exact.example', 'exact.example:8443'],
  routers: [
    on({ path: '/health' }, { direct_response: { status: 200, body: 'ok' } }),
    on({ path: '/empty' }, { direct_response: { status: 204 } }),
    on({ prefix: '/teapot' }, { direct_response: { status: 418, body: 'short and stout' } }),
    on({ prefix: '/old/' }, { redirect: { response_code: 308, path_redirect: '/new' } }),
    on({ path: '/to-host' }, { redirect: { response_code: 301, host_redirect: 'other.example' } }),
    on({ path: '/to-https' }, { redirect: { response_code: 302, scheme_redirect: 'https' } }),
    on(
      { path: '/to-all' },
      {
        redirect: {
          response_code: 307,
          scheme_redirect: 'https',
          host_redirect: 'other.example',
          path_redirect: '/x',
        },
      },
    ),
    on({ path: '/default' }, { redirect: { path_redirect: '/elsewhere' } }),
    on({ prefix: '/rewrite/' }, to('a', { prefix_rewrite: '/' })),
    on({ prefix: '/deep' }, to('a', { prefix_rewrite: '/v1/deep' })),
    on({ prefix: '/double' }, to('a', { prefix_rewrite: '/twice/' })),
    on({ path: '/one' }, to('a', { prefix_rewrite: '/two' })),
    on({ prefix: '/named' }, to('a', { host_rewrite: 'internal.example' })),
    on({ prefix: '/from-header' }, to('a', { auto_host_rewrite_header: 'x-host' })),
    on(
      { regex: '^/v[0-9]+/items' },
      to('b', { regex_rewrite: { pattern: { regex: '^/v[0-9]+' }, substitution: '' } }),
    ),
    on(
      { regex: '^/swap/' },
      to('b', { regex_rewrite: { pattern: { regex: '^/swap/([a-z]+)/([a-z]+)' }, substitution: '/$2/$1' } }),
    ),
    on({ regex: '/digits/[0-9]+$' }, to('b')),
    on({ regex: '^/(red|green)' }, to('c')),
    on({ prefix: '/pick', headers: [{ name: 'x-canary', value: '1' }] }, to('b')),
    on({ prefix: '/pick', headers: [{ name: 'x-kind', value: '^al', regex: true }] }, to('c')),
    on({ prefix: '/pick', headers: [{ name: 'method', value: 'POST' }] }, to('c')),
    on(
      {
        prefix: '/pick',
        headers: [
          { name: 'x-a', value: '1' },
          { name: 'x-b', value: '2' },
        ],
      },
      to('b'),
    ),
    on({ prefix: '/pick' }, to('a')),
    on({ path: '/Exact' }, to('c')),
    on(
      { prefix: '/add' },
      to('a', {
        request_headers_to_add: [
          add('x-appended', 'route'),
          add('x-set', 'route', false),
          add('x-level', 'route'),
          add('x-method', '%x-mosn-method%', false),
          add('x-percent', '100%', false),
        ],
        request_headers_to_remove: ['x-secret'],
        response_headers_to_add: [add('x-answer', 'route'), add('x-from', 'route', false)],
        response_headers_to_remove: ['x-upstream-secret'],
      }),
    ),
    on(
      { prefix: '/weighted' },
      {
        route: {
          weighted_clusters: [
            { cluster: { name: 'a', weight: 70 } },
            { cluster: { name: 'b', weight: 30 } },
            { cluster: { name: 'c', weight: 0 } },
          ],
        },
      },
    ),
    on({ prefix: '/slow' }, to('a', { timeout: '200ms' })),
    on(
      { prefix: '/retried' },
      to('a', { retry_policy: { retry_on: true, num_retries: 3, status_codes: [503] } }),
    ),
    on({ prefix: '/dead' }, to('dead')),
    on({ prefix: '/empty-cluster' }, to('empty')),
    on({ prefix: '/' }, to('a')),
  ],
};

const others: readonly Json[] = [
  { name: 'wild', domains: ['*.wild.example'], routers: [on({ prefix: '/' }, to('b'))] },
  { name: 'deep', domains: ['*.deep.wild.example'], routers: [on({ prefix: '/' }, to('c'))] },
  { name: 'port', domains: ['port.example:9000'], routers: [on({ prefix: '/' }, to('c'))] },
  { name: 'any-port', domains: ['any-port.example:*'], routers: [on({ prefix: '/' }, to('b'))] },
  {
    name: 'variables',
    domains: ['variables.example'],
    routers: [
      on({ variables: [{ name: 'x-mosn-method', value: 'PUT', model: 'and' }] }, to('c')),
      on(
        {
          variables: [
            { name: 'x-mosn-method', value: 'DELETE', model: 'or' },
            { name: 'x-mosn-path', regex: '^/either', model: 'and' },
          ],
        },
        to('b'),
      ),
      on(
        {
          variables: [
            { name: 'x-mosn-method', value: 'GET', model: 'and' },
            { name: 'x-mosn-path', value: '/both', model: 'and' },
          ],
        },
        to('c'),
      ),
      on({ variables: [{ name: 'x-mosn-querystring', value: 'debug=1' }] }, to('b')),
      on({ headers: [{ name: 'x-rpc', value: 'yes' }] }, to('c')),
    ],
  },
  {
    name: 'rest',
    domains: ['*'],
    request_headers_to_add: [add('x-host-level', 'rest'), add('x-level', 'host')],
    response_headers_to_add: [add('x-answer', 'host')],
    routers: [on({ prefix: '/' }, to('a'))],
  },
];

/** One HTTP/1 listener with everything that the table of requests asks about. */
export function mosnConfig(places: Places): Json {
  const [adminHost = '', adminPort] = places.admin.split(':');
  const proxy = { downstream_protocol: 'Http1', router_config_name: 'main' };
  return {
    servers: [
      {
        default_log_path: `${places.folder}/mosn.log`,
        default_log_level: 'ERROR',
        routers: [
          {
            router_config_name: 'main',
            request_headers_to_add: [add('x-router', 'main'), add('x-level', 'router')],
            response_headers_to_add: [add('x-served-by', 'mesh', false)],
            response_headers_to_remove: ['x-internal'],
            virtual_hosts: [exactHost, ...others],
          },
        ],
        listeners: [
          {
            name: 'main',
            address: places.listener,
            bind_port: true,
            access_logs: [
              { log_path: `${places.folder}/access.log`, log_format: '%x-mosn-method% %response_code%' },
            ],
            filter_chains: [{ filters: [{ type: 'proxy', config: proxy }] }],
            stream_filters: [
              {
                type: 'ip_access',
                config: { default_action: 'deny', ips: [{ action: 'allow', addrs: ['127.0.0.0/8'] }] },
              },
            ],
          },
        ],
      },
    ],
    admin: { address: { socket_address: { address: adminHost, port_value: Number(adminPort) } } },
    cluster_manager: {
      clusters: [
        simple('a', places.a),
        simple('b', places.b),
        simple('c', places.c),
        simple('dead', places.dead),
        simple('empty'),
      ],
    },
  };
}
