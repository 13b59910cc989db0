import { type Command, InvalidArgumentError } from 'commander';
import { HeddleError } from '../../src/index.ts';
import { type AdminPlace, callAdmin } from '../admin-call.ts';
import { loadOrThrow } from '../config-options.ts';
import { type Listed, listText } from '../registry-text.ts';

interface PlaceOptions {
  readonly admin?: string;
  readonly config: string;
  readonly json?: boolean;
}

interface PublishOptions extends PlaceOptions {
  readonly weight?: number;
  readonly zone?: string;
  readonly priority?: number;
  readonly protocol?: string;
  readonly ttlMs?: number;
  readonly meta: Readonly<Record<string, string>>;
}

interface Said {
  readonly service: string;
  readonly address: string;
  readonly result: string;
  readonly isSaved: boolean;
  readonly registries?: readonly {
    readonly registry: string;
    readonly state: string;
    readonly reason: string;
  }[];
}

export function register(program: Command): void {
  const registry = program
    .command('registry')
    .description('publish services by a running proxy and list what was published')
    .addHelpText(
      'after',
      '\nThe proxy is found by its configuration (admin.address and admin.token) or by --admin; HEDDLE_ADMIN_TOKEN is the token then.\n\nExamples:\n  heddle registry publish users 127.0.0.1:8080 --meta version=2\n  heddle registry list users --json\n  heddle registry unpublish users 127.0.0.1:8080 --admin unix:/run/heddle.sock',
    );
  addPlace(
    registry.command('list').description('what applications said and asked').argument('[service]'),
  ).action(async (service: string | undefined, options: PlaceOptions) => {
    const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`;
    const listed = await callAdmin(await placeOf(options), `/v1/registry/list${query}`);
    console.log(options.json ? JSON.stringify(listed, null, 2) : listText(listed as Listed));
  });
  addPlace(registry.command('publish').description('say that a service is at an address'))
    .argument('<service>')
    .argument('<address>', 'host:port, [ipv6]:port or unix:/path')
    .option('--weight <number>', 'share of the calls (1)', wholeNumber)
    .option('--zone <name>', 'where it stands')
    .option('--priority <number>', '0 is the best (0)', wholeNumber)
    .option('--protocol <name>', 'such as http, dubbo, bolt')
    .option('--ttl-ms <ms>', 'withdrawn unless it is said again within this time', wholeNumber)
    .option('--meta <key=value>', 'may stand several times', addMeta, {})
    .action(async (service: string, address: string, options: PublishOptions) => {
      const { weight, zone, priority, protocol, ttlMs, meta: metadata } = options;
      const facts = { weight, zone, priority, protocol, ttlMs, metadata };
      print(await say(options, 'publish', { service, address, ...facts }), options);
    });
  addPlace(registry.command('unpublish').description('take an address back'))
    .argument('<service>')
    .argument('<address>')
    .action(async (service: string, address: string, options: PlaceOptions) =>
      print(await say(options, 'unpublish', { service, address }), options),
    );
}

function addPlace(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration of the proxy', 'heddle.yaml')
    .option('--admin <address>', 'its admin endpoint instead: host:port or unix:/path')
    .option('--json', 'print the answer as JSON');
}

/** @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID, ERR_OPTION_INVALID */
async function placeOf({ admin, config }: PlaceOptions): Promise<AdminPlace> {
  if (admin !== undefined) return { address: admin, token: process.env['HEDDLE_ADMIN_TOKEN'] ?? null };
  const found = (await loadOrThrow(config, {})).admin;
  if (found === undefined)
    throw new HeddleError('ERR_OPTION_INVALID', `${config} has no admin endpoint; give --admin`);
  return { address: found.address, token: found.token?.reveal() ?? null };
}

async function say(options: PlaceOptions, what: string, body: object): Promise<Said> {
  return (await callAdmin(await placeOf(options), `/v1/registry/${what}`, body)) as Said;
}

function print(said: Said, { json }: PlaceOptions): void {
  if (json) {
    console.log(JSON.stringify(said));
    return;
  }
  const { service, address, result, isSaved, registries = [] } = said;
  const places = registries.map(({ registry, state, reason }) =>
    reason === '' ? `${registry}: ${state}` : `${registry}: ${state} (${reason})`,
  );
  const kept = isSaved || result === 'unknown' ? '' : '; it does not survive a restart of the proxy';
  console.log(
    [`${service} at ${address}: ${result}${kept}`, ...places.map((each) => `  ${each}`)].join('\n'),
  );
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number is needed.');
}

function addMeta(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new InvalidArgumentError('"key=value" is needed.');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}
