import test from 'ava';
import { changeRules } from '../../../bin/monitor/change-rules.ts';
import { checkForm } from '../../../bin/monitor/forms.ts';
import { formatStacks, formatTop } from '../../../bin/monitor/text.ts';
import { formOf } from '../../../bin/monitor/watch-flags.ts';
import { type ParsedRules, ProfileBuilder, parseRules } from '../../../src/diagnostics/index.ts';

const settingsOf = (parsed: ParsedRules, name: string): unknown =>
  parsed.mode === 'holmes'
    ? (parsed.holmes as unknown as Record<string, unknown>)[name]
    : parsed.rules.find((rule) => rule.name === name);

test('a change goes on top of rules in each of their forms', (t) => {
  const changes = { stall: { aboveMs: 900 } };
  const own = { name: 'stall', type: 'stall', aboveMs: 300, durationMs: 700 };
  for (const rules of [undefined, 'default', { stall: { durationMs: 700 } }, { stall: true }, [own]]) {
    const changed = settingsOf(parseRules(changeRules(rules, changes)), 'stall') as Record<string, unknown>;
    t.is(changed['aboveMs'], 900, JSON.stringify(rules));
    if (typeof rules === 'object' && !('stall' in rules && rules.stall === true))
      t.is(changed['durationMs'], 700, JSON.stringify(rules));
  }
  for (const rules of ['holmes', { holmes: true }, { holmes: { cpu: { min: 33 } } }]) {
    const parsed = parseRules(changeRules(rules, { cpu: { abs: 88, cpuMax: 95 } }));
    t.like(settingsOf(parsed, 'cpu'), { abs: 88, enabled: true }, JSON.stringify(rules));
    t.like(settingsOf(parsed, 'mem'), { enabled: typeof rules === 'string' || rules.holmes === true });
    t.is(settingsOf(parsed, 'cpuMax'), 95);
  }
  t.throws(() => changeRules([own], { stal: { aboveMs: 1 } }), {
    code: 'ERR_MONITOR_RULES',
    message: /no rule "stal"/,
  });
});

test('an option that a form would ignore is refused with the forms that take it', (t) => {
  checkForm('process', { for: 1000, json: true, stop: undefined });
  checkForm('list', { list: true, json: true });
  t.throws(() => checkForm('command', { for: 1000 }), {
    code: 'ERR_OPTION_INVALID',
    message: /--for has no meaning with a command to start; it goes with --all, a process id/,
  });
  t.throws(() => checkForm('process', { config: 'x' }), { message: /it goes with --all/ });
});

test('what is asked for is one thing', (t) => {
  t.is(formOf(['12'], {}), 'process');
  t.is(formOf(['12', 'x'], {}), 'command');
  t.is(formOf(['node'], {}), 'command');
  t.is(formOf([], { all: true }), 'all');
  t.throws(() => formOf([], {}), { message: /name a process id/ });
  t.throws(() => formOf([], { all: true, list: true }), { message: /--list and --all are two things/ });
  t.throws(() => formOf(['12'], { replay: 'f' }), { message: /--replay and "12" are two things/ });
});

test('a moment is shown as its stacks, what runs on top first; an empty profile says so', (t) => {
  const of = (unit: string, values: readonly number[]) => {
    const builder = new ProfileBuilder([{ type: 'value', unit }]);
    const [main, one, two] = ['main', 'one', 'two'].map((name) =>
      builder.frame({ name, url: 'file:///a.js', line: 3, column: 1 }),
    ) as [number, number, number];
    for (const [index, value] of values.entries())
      builder.add(builder.path([main, index === 0 ? one : two]), [value]);
    return builder.build({ kind: 'stall' });
  };
  t.is(
    formatStacks(of('nanoseconds', [1e6, 3e6]), 9),
    '75.0% of the time:\n  two (/a.js:3)\n  main (/a.js:3)\n25.0% of the time:\n  one (/a.js:3)\n  main (/a.js:3)',
  );
  t.is(formatTop(of('count', []), { limit: 5, by: 'flat' }), 'stall: value 0: nothing was seen');
});
