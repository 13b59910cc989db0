import { SeededRandom } from '../../../core/base/random.ts';
import type { SuiteTest } from '../suite-test.ts';
import { RawToClient, RawToServer, type Subject, transcriptOf } from './conversation.ts';

const longestNoiseBytes = 300;

/** A stranger's bytes cost one connection, never more. */
export function refusing(test: SuiteTest, name: string, subject: Subject, fuzzInputs: number): void {
  const { samples } = subject;
  const first = samples.exchanges[0];

  test(`${name}: requests that break protocol or limits are refused and the connection ends`, (t) => {
    for (const { title, bytes } of samples.refused) {
      for (const split of [Number.POSITIVE_INFINITY, 1]) {
        const raw = new RawToServer(subject, { split });
        raw.feed(bytes);
        t.is(raw.completeRequests, 0, `${title}: no request is complete`);
        t.true(raw.link.accepted.isClosed || raw.link.accepted.isEnded, `${title}: the connection ends`);
        t.true(
          raw.owner.protocolErrors.length > 0 || raw.sink.exchanges.length > 0,
          `${title}: it is reported`,
        );
        raw.link.reset();
        raw.settle();
        t.is(raw.sink.open, 0, `${title}: no stream is left`);
        t.deepEqual(raw.sink.offences, [], title);
      }
    }
  });

  test(`${name}: answers that break the protocol reset the stream and the connection takes no other`, (t) => {
    if (first === undefined) return;
    for (const { title, bytes } of samples.refusedAnswers) {
      const raw = new RawToClient(subject);
      const asked = raw.ask(first);
      raw.feed(bytes);
      t.is(asked.resets.length, 1, `${title}: the stream is reset once`);
      t.is(raw.client.room, 0, `${title}: no other stream`);
      t.is(raw.sink.open, 0, title);
      t.deepEqual(raw.sink.offences, [], title);
    }
  });

  test(`${name}: an answer that nobody asked for ends the connection`, (t) => {
    const answer = transcriptOf(subject).responses[0] as Buffer;
    const raw = new RawToClient(subject);
    raw.feed(answer);
    t.is(raw.client.room, 0);
    t.is(raw.sink.open, 0);
  });

  test(`${name}: noise and damaged messages never throw and leave no stream behind`, (t) => {
    const random = new SeededRandom(1);
    const { requests, responses } = transcriptOf(subject);
    const bytes = Buffer.concat(requests);
    for (let i = 0; i < fuzzInputs; i++) {
      const server = new RawToServer(subject, { split: 1 + (random.uint32() % 64) });
      server.feed(i % 4 === 0 ? noise(random) : damage(random, bytes));
      server.link.reset();
      server.settle();
      t.is(server.sink.open, 0, `server input ${i}`);
      if (first === undefined) continue;
      const client = new RawToClient(subject, { split: 1 + (random.uint32() % 64) });
      client.ask(first);
      client.feed(i % 4 === 0 ? noise(random) : damage(random, responses[0] as Buffer));
      client.link.reset();
      client.settle();
      t.is(client.sink.open, 0, `client input ${i}`);
      t.deepEqual([...server.sink.offences, ...client.sink.offences], [], `input ${i}`);
    }
  });
}

function noise(random: SeededRandom): Buffer {
  return Buffer.from(
    Array.from({ length: random.uint32() % longestNoiseBytes }, () => random.uint32() & 255),
  );
}

/** A valid message with a few bytes changed, taken out or doubled. */
function damage(random: SeededRandom, valid: Buffer): Buffer {
  let bytes = Buffer.from(valid);
  for (let i = 1 + (random.uint32() % 3); i > 0; i--) {
    const at = random.uint32() % Math.max(1, bytes.length);
    const length = random.uint32() % 8;
    switch (random.uint32() % 3) {
      case 0:
        bytes[at] = random.uint32() & 255;
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    }
  }
  return bytes;
}
