import { Command } from 'commander';
import { version } from '../src/index.ts';
import { register as certs } from './commands/certs.ts';
import { register as check } from './commands/check.ts';
import { register as demo } from './commands/demo.ts';
import { register as diff } from './commands/diff.ts';
import { register as dump } from './commands/dump.ts';
import { register as explain } from './commands/explain.ts';
import { register as init } from './commands/init.ts';
import { register as profile } from './commands/profile.ts';
import { register as registry } from './commands/registry.ts';
import { register as run } from './commands/run.ts';
import { register as watch } from './commands/watch.ts';
import { exitCodes, report } from './report.ts';

/** One file a command; each adds itself to the program. */
const commands = [run, check, dump, diff, init, certs, registry, explain, demo, watch, profile];

const exitHelp = Object.entries(exitCodes)
  .map(([name, code]) => `  ${code}  ${name}`)
  .join('\n');

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('heddle')
    .description('A service mesh for Node.js: proxy, in-process mesh and self-profiling monitor')
    .version(version)
    .showHelpAfterError('(heddle --help lists commands and options)')
    .addHelpText('after', `\nExit codes:\n${exitHelp}`)
    // An option behind the name of a command is that command's, also where its parent has one of the same name.
    .enablePositionalOptions()
    .exitOverride();
  for (const register of commands) register(program);
  try {
    await program.parseAsync([...argv]);
  } catch (thrown) {
    process.exitCode = report(thrown, argv.includes('--json'));
  }
}
