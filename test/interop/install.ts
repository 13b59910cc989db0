/**
 * Runs before `npm test`: installs the RPC programs of other people that tests in this folder talk to, once. They have a
 * lock of their own, so that their advisories are not ours. Old and new Node lines (devDependencies) only come with
 * `npm ci` in this folder. Without a network the tests that need them fail and say what to run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('./', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${here}package.json`, 'utf8')) as {
  dependencies: Record<string, string>;
};
const versionOf = (name: string): string => {
  const file = `${here}node_modules/${name}/package.json`;
  if (!existsSync(file)) return '';
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
};
const missing = Object.keys(dependencies).filter((name) => versionOf(name) !== dependencies[name]);
if (missing.length > 0) {
  const hasNodeLines = existsSync(`${here}node_modules/node-22`);
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...(hasNodeLines ? [] : ['--omit=dev'])];
  const { status } = spawnSync('npm', args, { cwd: here, stdio: 'inherit', timeout: 300_000 });
  if (status !== 0) process.stderr.write(`could not install ${missing.join(', ')} in test/interop\n`);
}
