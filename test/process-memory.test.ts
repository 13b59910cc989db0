import test from 'ava';
import { runProgram } from './fixtures/run-program.ts';

const mebibyte = 1024 * 1024;

interface Waiting {
  readonly mostBytes: number;
  readonly leftBytes: number;
}

test('a burst of reads within one turn of the loop leaves few buffers to a collection, an idle loop none', async (t) => {
  // Minor collections wait for marking, which a loop that does nothing but read outruns.
  const flags = ['--expose-gc', '--no-incremental-marking'];
  const { exitCode, stdout, stderr } = await runProgram([...flags, 'test/fixtures/read-buffers.ts']);
  t.is(exitCode, 0, stderr);
  t.is(stderr, '', 'V8 prints flags that it does not know');
  const { mostBytes, leftBytes } = JSON.parse(stdout) as Waiting;
  // 8 MiB start a collection; as much again comes in while it frees them. 64 to 128 MiB otherwise.
  t.true(mostBytes < 32 * mebibyte, `${mostBytes} bytes waited`);
  t.true(leftBytes < 12 * mebibyte, `${leftBytes} bytes are left`);
});
