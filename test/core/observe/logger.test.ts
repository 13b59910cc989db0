import test from 'ava';
import { createJsonLogger, silentLogger } from '../../../src/core/observe/logger.ts';
import { ManualClock } from '../filters/harness.ts';

interface Line {
  readonly level?: string;
  readonly message?: string;
  readonly repeated?: number;
  readonly i?: number;
  readonly field_level?: string;
}

const setUp = () => {
  const clock = new ManualClock();
  const lines: Line[] = [];
  const logger = createJsonLogger((line) => lines.push(JSON.parse(line)), clock);
  return { clock, lines, logger };
};

test('a line is one JSON object with time, level, message and fields', (t) => {
  const { logger, lines } = setUp();
  logger.warn('host ejected', { host: '10.0.0.1:80', failures: 5 });
  t.deepEqual(lines, [
    {
      time: '2026-01-31T12:30:45.123Z',
      level: 'warn',
      message: 'host ejected',
      host: '10.0.0.1:80',
      failures: 5,
    },
  ]);
});

test('the same line is written at most once a second and then says how often it came', (t) => {
  const { clock, logger, lines } = setUp();
  for (let i = 0; i < 1000; i++) logger.error('connect failed', { i });
  logger.error('another');
  t.is(lines.length, 2);
  clock.advance(1000);
  t.is(lines.length, 3);
  t.is(lines[2]?.repeated, 999);
  t.is(lines[2]?.i, 999);
  for (let i = 0; i < 10; i++) logger.error('connect failed', { i });
  t.is(lines.length, 3);
  clock.advance(1000);
  t.is(lines[3]?.repeated, 10);
  clock.advance(1000);
  t.is(clock.pending, 0);
  logger.error('connect failed');
  t.is(lines.length, 5);
});

test('lower levels are left out and the level can be changed while running', (t) => {
  const { logger, lines } = setUp();
  logger.debug('x');
  logger.level = 'debug';
  logger.debug('y');
  logger.level = 'off';
  logger.error('z');
  t.deepEqual(
    lines.map((line) => line.message),
    ['y'],
  );
});

test('ever new messages are remembered up to a bound, and fields cannot replace the line’s own', (t) => {
  const { clock, logger, lines } = setUp();
  for (let i = 0; i < 5000; i++) logger.info(`message ${i}`, { level: 'forged', repeated: 9 });
  t.is(lines.length, 5000);
  t.true(clock.pending <= 512);
  t.is(lines[0]?.level, 'info');
  t.is(lines[0]?.field_level, 'forged');
  t.false('repeated' in (lines[0] as object));
});

test('a writer that throws does not reach the caller', (t) => {
  const logger = createJsonLogger(() => {
    throw new Error('EPIPE');
  }, new ManualClock());
  t.notThrows(() => logger.error('x'));
  t.notThrows(() => {
    silentLogger.level = 'debug';
    silentLogger.error('x');
  });
  t.is(silentLogger.level, 'off');
});
