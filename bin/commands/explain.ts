import { type Command, InvalidArgumentError } from 'commander';
import { explain } from '../../src/index.ts';
import { addConfigOptions, type ConfigOptions, loadOrThrow } from '../config-options.ts';
import { explanationText } from '../explanation-text.ts';

interface ExplainOptions extends ConfigOptions {
  readonly method: string;
  readonly path: string;
  readonly header: readonly (readonly [string, string])[];
  readonly source: string;
  readonly listener?: string;
  readonly inProcess?: boolean;
  readonly json?: boolean;
}

type Headers = readonly (readonly [string, string])[];

function addHeader(text: string, before: Headers): Headers {
  const colon = text.indexOf(':', 1);
  if (colon < 0) throw new InvalidArgumentError('"name: value" is needed.');
  return [...before, [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]];
}

export function register(program: Command): void {
  const command = program
    .command('explain')
    .description('tell which route, filters, limits and host a request would meet, and why not the others')
    .option('--method <method>', 'of the request', 'GET')
    .option('--path <path>', 'with query', '/')
    .option('--header <name: value>', 'may stand several times; "host: ..." is the authority', addHeader, [])
    .option('--source <address>', 'where the request comes from', '127.0.0.1')
    .option('--listener <name>', 'where it comes in (default: at every listener with routes)')
    .option('--in-process', 'as a call of the program itself')
    .option('--json', 'print a list of explanations as JSON')
    .addHelpText(
      'after',
      "\nNothing listens and no filter runs: an explanation changes no count and no limit. Exit code 1 when no route is met.\n\nExample:\n  heddle explain --method POST --path /cart --header 'host: shop.example' --header 'x-canary: 1'",
    );
  addConfigOptions(command).action(async (options: ExplainOptions) => {
    const config = await loadOrThrow(options.config, options);
    const { method, path, header, source, listener, inProcess } = options;
    const authority = header.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
    const headers = header.filter(([name]) => name.toLowerCase() !== 'host');
    const told = await explain(config, { method, path, authority, headers, source }, { listener, inProcess });
    console.log(options.json ? JSON.stringify(told, null, 2) : told.map(explanationText).join('\n\n'));
    if (told.every((each) => each.route === null)) process.exitCode = 1;
  });
}
