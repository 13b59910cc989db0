import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigReloader } from '../../src/config-reloader.ts';
import type { EffectiveConfig } from '../../src/core/contract/config.ts';
import type { Logger } from '../../src/core/contract/logger.ts';
import { silentLogger } from '../../src/core/observe/logger.ts';
import { eventually } from './support.ts';

const good = (name: string): string =>
  JSON.stringify({ clusters: [{ name, endpoints: [{ address: '127.0.0.1:1' }] }] });

interface Bench {
  readonly options: { readonly configPath: string; readonly logger: Logger };
  readonly lines: string[];
  write(text: string): Promise<void>;
}

async function bench(t: ExecutionContext): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-reload-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const configPath = join(folder, 'heddle.json');
  const lines: string[] = [];
  const note = (message: string, fields?: object): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { ...silentLogger, info: note, error: note };
  await writeFile(configPath, good('first'));
  return { options: { configPath, logger }, lines, write: (text) => writeFile(configPath, text) };
}

const clusterOf = ({ clusters }: EffectiveConfig): string => clusters[0]?.name ?? '';

test('a file that is valid is applied; one with problems, or that is not there, changes nothing', async (t) => {
  const { options, lines, write } = await bench(t);
  const applied: string[] = [];
  const apply = async (next: EffectiveConfig): Promise<{ applied: true; problems: [] }> => {
    applied.push(clusterOf(next));
    return { applied: true, problems: [] };
  };
  const reloader = new ConfigReloader(options, apply, { workers: 3 });
  t.true((await reloader.reload()).applied);
  t.regex(lines[0] ?? '', /^configuration reloaded .*heddle\.json.*"workers":3/);
  await write('{"clutsers":[]}');
  const refused = await reloader.reload();
  t.false(refused.applied);
  t.is(refused.problems.length, 1);
  t.regex(lines[1] ?? '', /^reload refused, .*clutsers/);
  await rm(options.configPath);
  t.deepEqual(await reloader.reload(), { applied: false, problems: [] });
  t.regex(lines[2] ?? '', /^reload failed, .*ERR_CONFIG_READ/);
  t.deepEqual(applied, ['first']);
});

test('reloads run one after the other, also after one that could not be applied', async (t) => {
  const { options, lines } = await bench(t);
  let isFirst = true;
  let underWay = 0;
  const apply = async (): Promise<{ applied: true; problems: [] }> => {
    t.is(++underWay, 1);
    await new Promise(setImmediate);
    underWay--;
    if (!isFirst) return { applied: true, problems: [] };
    isFirst = false;
    throw new Error('no such address');
  };
  const reloader = new ConfigReloader(options, apply);
  const all = await Promise.all([reloader.reload(), reloader.reload(), reloader.reload()]);
  t.deepEqual(
    all.map(({ applied }) => applied),
    [false, true, true],
  );
  t.regex(lines[0] ?? '', /^reload failed, .*no such address/);
});

test('a file that is watched is applied when it changes', async (t) => {
  const { options, write } = await bench(t);
  const applied: string[] = [];
  const reloader = new ConfigReloader(options, async (next) => {
    applied.push(clusterOf(next));
    return { applied: true, problems: [] };
  });
  reloader.watch();
  t.teardown(() => reloader.unwatch());
  await write(good('second'));
  await t.notThrowsAsync(eventually(() => applied.includes('second'), 'the change is seen'));
});
