import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startConfigured } from '../../src/embedding/register/configured.ts';
import { eventually, upstream } from '../mesh/support.ts';

for (const mode of ['inProcess', 'worker'])
  test(`mode ${mode}: the file of heddle/register is reloaded when it changes`, async (t) => {
    const [one, two] = [
      await upstream(t, (_request, response) => response.end('one')),
      await upstream(t, (_request, response) => response.end('two')),
    ];
    const directory = await mkdtemp(join(tmpdir(), 'heddle-configured-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'heddle.yaml');
    /** As editors and deployments write: a new file takes the name. */
    const write = async (text: string): Promise<void> => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    };
    const configOf = (address: string): string =>
      `mode: ${mode}\nclusters:\n  - { name: users, endpoints: ['${address}'] }\n`;
    await write(configOf(one.address));
    const { mesh, close } = await startConfigured(path, 'off');
    t.teardown(close);
    const answer = async (): Promise<string> => (await mesh.fetch('http://users/')).text();
    t.is(await answer(), 'one');
    await write(configOf(two.address));
    await eventually(async () => (await answer()) === 'two', 'calls go to the new endpoint');
    t.pass();
  });
