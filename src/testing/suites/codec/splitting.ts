import type { ExchangeSample } from '../../codec-samples.ts';
import type { SuiteAssertions, SuiteTest } from '../suite-test.ts';
import { assertMessage, RawToClient, RawToServer, type Subject, transcriptOf } from './conversation.ts';

/** Bytes come in any pieces, and may stop anywhere. */
export function splitting(test: SuiteTest, name: string, subject: Subject): void {
  const { exchanges } = subject.samples;

  test(`${name}: requests may be split at every byte`, (t) => {
    const bytes = Buffer.concat(transcriptOf(subject).requests);
    const whole = new RawToServer(subject);
    whole.feed(bytes);
    t.is(whole.completeRequests, exchanges.length, 'all requests at once are answered one by one');
    for (let at = 1; at < bytes.length; at++) {
      const raw = new RawToServer(subject, { ownsReads: at % 2 === 0 });
      raw.feed(bytes.subarray(0, at), bytes.subarray(at));
      t.deepEqual(raw.requests, whole.requests, `split at ${at}`);
      t.deepEqual(raw.sink.offences, [], `split at ${at}`);
    }
    const bytewise = new RawToServer(subject, { split: 1, ownsReads: false });
    bytewise.feed(bytes);
    t.deepEqual(bytewise.requests, whole.requests);
  });

  test(`${name}: answers may be split at every byte`, (t) => {
    const { responses } = transcriptOf(subject);
    const length = Math.max(...responses.map((each) => each.length));
    for (let at = 1; at < length; at++) {
      const raw = new RawToClient(subject, { ownsReads: at % 2 === 0 });
      exchanges.forEach((sample, i) => {
        const bytes = responses[i] as Buffer;
        const asked = raw.ask(sample);
        raw.feed(bytes.subarray(0, at), bytes.subarray(at));
        assertMessage(t, asked.response, sample.response, `${sample.title} split at ${at}`);
      });
      t.deepEqual(raw.sink.offences, [], `split at ${at}`);
    }
  });

  test(`${name}: a request that stops anywhere ends without a trace`, (t) => {
    const bytes = Buffer.concat(transcriptOf(subject).requests);
    for (let at = 0; at < bytes.length; at++) {
      const raw = new RawToServer(subject);
      raw.feed(bytes.subarray(0, at));
      const complete = raw.completeRequests;
      raw.link.dialled.end();
      raw.settle();
      t.is(raw.completeRequests, complete, `cut at ${at}: FIN completes no request`);
      raw.link.reset();
      raw.settle();
      t.is(raw.sink.open, 0, `cut at ${at}: no stream is left`);
      t.is(raw.owner.closedCodecs.length, 1, `cut at ${at}: closed once`);
      t.is(raw.server.active, 0);
      t.deepEqual(raw.sink.offences, [], `cut at ${at}`);
    }
  });

  test(`${name}: an answer that stops anywhere resets its stream once`, (t) => {
    const { responses } = transcriptOf(subject);
    exchanges.forEach((sample, i) => {
      const bytes = responses[i] as Buffer;
      for (let at = 0; at < bytes.length; at++) assertCut(t, subject, sample, bytes.subarray(0, at));
    });
  });
}

/** The first exchange of a connection stops within its answer. */
function assertCut(t: SuiteAssertions, subject: Subject, sample: ExchangeSample, bytes: Buffer): void {
  const raw = new RawToClient(subject);
  const asked = raw.ask(sample);
  raw.feed(bytes);
  const wasComplete = asked.response?.isComplete === true;
  raw.link.accepted.end();
  raw.settle();
  raw.link.reset();
  raw.settle();
  const title = `${sample.title} cut at ${bytes.length}`;
  const isComplete = asked.response?.isComplete === true;
  t.is(asked.resets.length, isComplete ? 0 : 1, `${title}: one end, complete or reset`);
  if (wasComplete) t.true(isComplete);
  t.is(raw.sink.open, 0, `${title}: no stream is left`);
  t.true(raw.owner.goneCodes.length > 0, `${title}: the pool was told`);
  t.is(raw.client.room, 0, `${title}: takes no more`);
  t.deepEqual(raw.sink.offences, [], title);
}
