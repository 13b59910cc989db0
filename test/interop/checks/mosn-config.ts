import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, startStandalone } from '../../../src/index.ts';
import { deadAddress } from '../../mesh/support.ts';
import type { Check, Scope } from '../kit/check.ts';
import { compareAdmin, readAdmin } from '../mosn/admin.ts';
import { type Answered, answerTo } from '../mosn/ask.ts';
import { differencesOf } from '../mosn/compare.ts';
import { mosnConfig } from '../mosn/config.ts';
import { knownDifferences } from '../mosn/differences.ts';
import { requireMosn, startMosn } from '../mosn/program.ts';
import { drawn, requests } from '../mosn/requests.ts';
import { tellingUpstream } from '../mosn/upstreams.ts';

/** Shows every difference with its reason: HEDDLE_SHOW_DIFFERENCES=1 npm run interop -- mosn-config */
const isShown = process.env['HEDDLE_SHOW_DIFFERENCES'] === '1';

export const check: Check = {
  what: 'the same MOSN file given to MOSN and to heddle, the same requests asked of both, the admin API of both',
  async run(scope) {
    const { path, version } = await requireMosn();
    const { file, listener, admin } = await writeFileFor(scope);
    const stop = await startMosn(path, file, listener);
    const ask = async () => {
      const [answers, shares] = await Promise.all([askAll(listener), sharesOf(listener)]);
      return { answers, shares, told: await readAdmin(admin) };
    };
    const { answers: theirs, shares: theirShares, told: theirAdmin } = await ask().finally(stop);
    await using proxy = await startStandalone({ configPath: file, logger: silentLogger, watches: false });
    const { answers: ours, shares: ourShares, told: ourAdmin } = await ask();
    await proxy.drain(1000);
    compareAdmin(theirAdmin, ourAdmin);
    const { alike, explained, unexplained, unused } = judge(theirs, ours);
    assert.deepEqual(unexplained, [], 'differences without a reason');
    assert.deepEqual(unused, [], 'reasons without a difference');
    assert.ok(requests.length >= 100);
    assert.equal(ourShares['c'] ?? 0, 0, 'a weight of 0 gets nothing');
    // 70 per cent of 200 draws, four standard deviations either way.
    assert.ok(Math.abs((ourShares['a'] ?? 0) - 140) < 26, `70 per cent of ${draws}: ${ourShares['a']}`);
    const shares = `weights 70/30/0 drew ${sharesText(theirShares)} there and ${sharesText(ourShares)} here`;
    return `MOSN ${version}, ${requests.length} requests, ${alike} answered alike, ${explained} with known differences; ${shares}`;
  },
};

async function writeFileFor(scope: Scope): Promise<Record<'file' | 'listener' | 'admin', string>> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-mosn-config-'));
  scope.teardown(() => rm(folder, { recursive: true, force: true }));
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => tellingUpstream(scope, name)));
  const [listener, admin, dead] = [await deadAddress(), await deadAddress(), await deadAddress()];
  const places = { listener, admin, dead, folder, a: a as string, b: b as string, c: c as string };
  const file = join(folder, 'mosn.json');
  await writeFile(file, JSON.stringify(mosnConfig(places), null, 2));
  return { file, listener, admin };
}

async function askAll(listener: string): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const asked of requests) answers.push(await answerTo(listener, asked));
  return answers;
}

const draws = 200;

/** How often each upstream is drawn. */
async function sharesOf(listener: string): Promise<Readonly<Record<string, number>>> {
  const shares: Record<string, number> = {};
  for (let i = 0; i < draws; i++) {
    const upstream = (await answerTo(listener, drawn)).seen?.upstream ?? 'nobody';
    shares[upstream] = (shares[upstream] ?? 0) + 1;
  }
  return shares;
}

const sharesText = (shares: Readonly<Record<string, number>>): string =>
  ['a', 'b', 'c'].map((name) => shares[name] ?? 0).join('/');

function judge(theirs: readonly Answered[], ours: readonly Answered[]) {
  const unexplained: string[] = [];
  const unused = new Set(knownDifferences);
  let alike = 0;
  requests.forEach(({ name }, index) => {
    const found = differencesOf(theirs[index] as Answered, ours[index] as Answered);
    if (found.length === 0) alike++;
    for (const difference of found) {
      const known = knownDifferences.find(
        (each) => each.request.test(name) && each.difference.test(difference),
      );
      if (known === undefined) unexplained.push(`${name}: ${difference}`);
      else unused.delete(known);
      if (isShown) console.log(`${name}: ${difference} (${known?.reason ?? '?'})`);
    }
  });
  const idle = [...unused].map((each) => each.reason);
  return { alike, explained: requests.length - alike, unexplained, unused: idle };
}
