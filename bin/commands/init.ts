import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { checkConfigFile, formatNotices, HeddleError, messageOf, requireLoaded } from '../../src/index.ts';
import { presets } from '../presets/index.ts';

interface InitOptions {
  readonly output: string;
  readonly preset?: string;
  readonly from?: string;
  readonly lenient?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const defaultPreset = 'gateway';

export function register(program: Command): void {
  program
    .command('init')
    .description('write a commented configuration to begin with, or one made from a MOSN file')
    .option('-o, --output <file>', 'where to', 'heddle.yaml')
    .addOption(
      new Option('--preset <name>', `what it is for (default: "${defaultPreset}")`)
        .choices(Object.keys(presets))
        .conflicts('from'),
    )
    .option('--from <file>', 'make it from a MOSN v2 file; what has no effect is told on top of it')
    .option('--lenient', "with --from: MOSN's own behaviour, what it skips is skipped")
    .option('--force', 'overwrite the file')
    .option('--json', 'print { file, preset, from, notices } as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  heddle init --preset sidecar\n  heddle init --from mosn_config.json -o heddle.yaml',
    )
    .action(async (options: InitOptions) => {
      const { output, from } = options;
      const made =
        from === undefined ? ofPreset(options.preset ?? defaultPreset) : await ofMosn(from, options);
      await write(output, `${editorHint(output)}\n${made.text}`, options.force === true);
      if (options.json) {
        const preset = from === undefined ? (options.preset ?? defaultPreset) : null;
        console.log(JSON.stringify({ file: output, preset, from: from ?? null, notices: made.notices }));
      } else console.log(`${output} is written; heddle check -c ${output} looks it over`);
    });
}

interface Made {
  readonly text: string;
  readonly notices: readonly unknown[];
}

const ofPreset = (name: string): Made => ({ text: presets[name] as string, notices: [] });

/** What was made of the file, defaults left out, below what there is to say about it. */
async function ofMosn(path: string, { lenient }: InitOptions): Promise<Made> {
  const loaded = await checkConfigFile(path, { format: 'mosn', lenient });
  requireLoaded(loaded);
  const { notices, input } = loaded;
  const told =
    notices.length === 0 ? [] : ['What it did that this does not, or otherwise:', formatNotices(notices)];
  const head = [`Made from ${path}.`, ...told].join('\n').replace(/^/gm, '# ');
  return { text: `${head}\n\n${stringify(input, { aliasDuplicateObjects: false })}`, notices };
}

/** The line by which editors with a YAML language server complete and check the file. */
function editorHint(output: string): string {
  const folder = dirname(resolve(output));
  const schema = relative(folder, schemaPath()).split(sep).join('/');
  return `# yaml-language-server: $schema=${schema.startsWith('.') ? schema : `./${schema}`}`;
}

/** The schema ships with the package; this file runs from bin/ or from dist/bin/. */
function schemaPath(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = ['../..', '../../..'].map((up) => join(here, up, 'docs/config.schema.json')).find(existsSync);
  if (found === undefined) throw new HeddleError('ERR_BUG', 'the package lacks docs/config.schema.json');
  return found;
}

async function write(path: string, text: string, mayOverwrite: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: mayOverwrite ? 'w' : 'wx' });
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'EEXIST') {
      throw new HeddleError('ERR_CONFIG_WRITE', `${path} is there already`);
    }
    throw new HeddleError('ERR_CONFIG_WRITE', messageOf(thrown), {
      cause: thrown,
    });
  }
}
