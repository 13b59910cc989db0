/** One request of the table. */
export interface Asked {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

type Headers = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

function ask(host: string, path: string, method = 'GET', headers: Headers = {}, body = ''): Asked {
  const list = Array.isArray(headers) ? headers : Object.entries(headers);
  const told = list.map(([name, value]) => ` ${name}=${value}`).join('');
  return { name: `${method} ${host} ${path}${told}`, method, path, host, headers: list, body };
}

const exact = (path: string, method?: string, headers?: Headers, body?: string): Asked =>
  ask('exact.example', path, method, headers, body);
const vars = (path: string, method?: string, headers?: Headers): Asked =>
  ask('variables.example', path, method, headers);
const text = { 'content-type': 'text/plain' };

/** Drawn anew each time, so asked often and not compared one by one. */
export const drawn: Asked = exact('/weighted');

/** What is asked of both, in this order. */
export const requests: readonly Asked[] = [
  // Hosts
  exact('/'),
  ask('EXACT.example', '/'),
  ask('exact.example:8443', '/health'),
  ask('exact.example:9999', '/health'),
  ask('exact.example.', '/health'),
  ask('a.wild.example', '/'),
  ask('a.b.wild.example', '/'),
  ask('wild.example', '/'),
  ask('A.WILD.example', '/'),
  ask('x.deep.wild.example', '/'),
  ask('deep.wild.example', '/'),
  ask('a.wild.example:8080', '/'),
  ask('port.example:9000', '/'),
  ask('port.example', '/'),
  ask('port.example:9001', '/'),
  ask('any-port.example:1', '/'),
  ask('any-port.example', '/'),
  ask('unknown.example', '/'),
  ask('127.0.0.1', '/'),
  ask('[::1]:80', '/'),
  // Local answers
  exact('/health'),
  exact('/HEALTH'),
  exact('/health?x=1'),
  exact('/health/'),
  exact('/health', 'POST', text, 'body'),
  exact('/health', 'HEAD'),
  exact('/health', 'GET', { 'x-mine': 'echo?' }),
  exact('/empty'),
  exact('/teapot/green'),
  // Redirects
  exact('/old/'),
  exact('/old/page'),
  exact('/old/page?q=1'),
  exact('/to-host'),
  exact('/to-host?q=1'),
  exact('/to-https'),
  ask('exact.example:8443', '/to-https'),
  exact('/to-all?q=1'),
  exact('/default'),
  exact('/default?keep=1'),
  // Rewrites
  exact('/rewrite/x'),
  exact('/rewrite/'),
  exact('/rewrite/x?q=1'),
  exact('/deep'),
  exact('/deep/er'),
  exact('/deeper'),
  exact('/double'),
  exact('/double/x'),
  exact('/one'),
  exact('/one?q=1'),
  exact('/ONE'),
  exact('/named/x'),
  exact('/from-header', 'GET', { 'x-host': 'told.example' }),
  exact('/from-header'),
  exact('/v1/items'),
  exact('/v12/items/7?q=1'),
  exact('/v1/itemsx'),
  exact('/vx/items'),
  exact('/swap/red/blue'),
  exact('/swap/red'),
  // Patterns
  exact('/any/digits/12'),
  exact('/digits/12'),
  exact('/digits/12x'),
  exact('/red'),
  exact('/greener'),
  exact('/xred'),
  // Headers
  exact('/pick'),
  exact('/pick', 'GET', { 'x-canary': '1' }),
  exact('/pick', 'GET', { 'X-Canary': '1' }),
  exact('/pick', 'GET', { 'x-canary': '2' }),
  exact('/pick', 'GET', { 'x-kind': 'alpha' }),
  exact('/pick', 'GET', { 'x-kind': 'beta-al' }),
  exact('/pick', 'POST', text, 'x'),
  exact('/pick', 'GET', { 'x-a': '1', 'x-b': '2' }),
  exact('/pick', 'GET', { 'x-a': '1' }),
  exact('/pick', 'GET', [
    ['x-canary', '0'],
    ['x-canary', '1'],
  ]),
  // Case and prefix
  exact('/exact'),
  exact('/EXACT'),
  exact('/Exact/'),
  exact('/pickle'),
  // Header edits
  exact('/add'),
  exact('/add', 'GET', { 'x-appended': 'client', 'x-set': 'client', 'x-secret': 's', 'x-level': 'client' }),
  exact('/add', 'POST', text, 'body'),
  // Methods and bodies
  exact('/echo', 'POST', text, 'hello'),
  exact('/echo', 'PUT', text, ''),
  exact('/echo', 'DELETE'),
  exact('/echo', 'PATCH', text, 'p'),
  exact('/echo', 'OPTIONS'),
  exact('/echo', 'HEAD'),
  exact('/echo', 'PURGE'),
  exact('/status/404'),
  exact('/status/500'),
  exact('/status/204'),
  exact('/no-type'),
  // Limits, failures
  exact('/slow'),
  exact('/retried'),
  exact('/dead'),
  exact('/empty-cluster'),
  // Variables
  vars('/', 'PUT'),
  vars('/', 'DELETE'),
  vars('/either/x'),
  vars('/both'),
  vars('/both', 'POST', text),
  vars('/q?debug=1'),
  vars('/q?debug=12'),
  vars('/', 'GET', { 'x-rpc': 'yes' }),
  vars('/nothing'),
  // Odd paths
  exact('//'),
  exact('//two//slashes'),
  exact('/a/../health'),
  exact('/a/./b'),
  exact('/%68ealth'),
  exact('/%2e%2e/x'),
  exact('/a%2fb'),
  exact('/a%20b'),
  exact('/a+b?c=%20d+e'),
  exact('/?'),
  exact('/x?a=1&b=?'),
  exact('/%zz'),
  exact('/under', 'GET', { x_under: '1' }),
  exact(`/${'long'.repeat(500)}`),
];
