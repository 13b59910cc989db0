import test from 'ava';
import { textChecks } from '../../src/assembly/check-texts.ts';
import { diffConfig } from '../../src/core/config/diff.ts';
import { dumpConfig, revealed } from '../../src/core/config/dump.ts';
import { mergeExtensions } from '../../src/core/config/extensions.ts';
import { loadConfigText } from '../../src/core/config/load.ts';
import { standard } from '../../src/standard.ts';

const load = (text: string) =>
  loadConfigText(text, { path: 'heddle.yaml' }, mergeExtensions(standard, undefined), textChecks);

test('wrong settings of the monitor are named with file, line, place and what may stand there', (t) => {
  const { config, problems } = load(`
monitor:
  warmUpMs: soon
  rulez: 1
  sinks:
    - { type: http, url: "http://127.0.0.1:9/x", token: hunter2, tiemout: 3 }
`);
  t.is(config, null);
  t.deepEqual(
    problems.map(({ line, path, read }) => [line, path, read]),
    [
      [3, 'monitor.warmUpMs', '"soon"'],
      [6, 'monitor.sinks[0].tiemout', '3'],
      [4, 'monitor.rulez', '1'],
    ],
  );
  t.regex(problems[2]?.allowed ?? '', /^there is no such setting; there are service, directory, /);
});

test('so are its rules', (t) => {
  const [problem] = load('monitor:\n  rules:\n    nostall: { aboveMs: 3 }\n').problems;
  t.is(problem?.line, 3);
  t.is(problem?.path, 'monitor.rules.nostall');
  t.regex(problem?.allowed ?? '', /no such rule; known are stall, busy-loop/);
  t.is(load('monitor: true\n').problems[0]?.path, 'monitor');
});

test('tokens and headers of its sinks are secrets, which the monitor itself gets', (t) => {
  const sink = {
    type: 'http',
    url: 'http://127.0.0.1:9/x',
    token: 'hunter2',
    headers: { 'x-key': 'hunter3' },
  };
  const { config } = load(`monitor: ${JSON.stringify({ sinks: [sink] })}\n`);
  if (config?.monitor === undefined) return t.fail('it should load');
  t.notRegex(JSON.stringify([dumpConfig(config), config]), /hunter/);
  t.deepEqual(revealed(config.monitor), { sinks: [sink] });
});

test('a change of the monitor is a difference of that part alone', (t) => {
  const [before, after] = ['monitor: {}\n', 'monitor: { warmUpMs: 5 }\n'].map((text) => load(text).config);
  if (!before || !after) return t.fail('both should load');
  t.deepEqual(diffConfig(before, after).parts, ['monitor']);
});
