import assert from 'node:assert/strict';
import { eventually } from '../../mesh/support.ts';
import type { Jvm } from '../kit/java.ts';

const ann =
  'User(ann 42 9007199254740993 1.25 true 1600000000123 [x, y] User(bob 52 0 0.0 false never null null))';

const expected: readonly (readonly [name: string, answer: string])[] = [
  ['echo', 'grüße 😀'],
  ['user', ann],
  ['list', '[null, true, 3.5, 2, 1, a]'],
  ['map', '{1=one, zwei=two}'],
  ['long', '4611686018427387905'],
  ['smallLong', '3'],
  ['date', '1700000001500'],
  ['null', 'null'],
  ['nullUser', 'null'],
  ['bytes', '[-3, 2, 1]'],
  ['note', 'sent'],
  ['big', 'true'],
  ['concurrent', '400 right'],
  ['declared', 'DeclaredException declared: x 7'],
];

/** Every kind of call from the Java client to `address`. @param server who answers there, e.g. "node" */
export async function callFromJava(jvm: Jvm, address: string, server: string): Promise<number> {
  for (const [name, answer] of expected) {
    assert.equal(withoutBack(await jvm.ask('call', address, name)), answer, `${name} at ${server}`);
  }
  const noted = async (): Promise<boolean> => (await jvm.ask('call', address, 'notes')).includes('noted');
  await eventually(noted, 'the note arrives');
  const attachment = await jvm.ask('call', address, 'attachment', 'acme');
  assert.equal(withoutBack(attachment), 'acme');
  await assert.rejects(jvm.ask('call', address, 'runtime'), /java\.lang\.IllegalStateException: runtime: x/);
  await assert.rejects(jvm.ask('call', address, 'slow'), /time ?out/i);
  assert.equal(withoutBack(await jvm.ask('call', address, 'echo')), 'grüße 😀');
  return expected.length + 404;
}

/** Attachments that came back stand behind the answer. */
const withoutBack = (text: string): string => text.replace(/ <[a-z]+>$/, '');
