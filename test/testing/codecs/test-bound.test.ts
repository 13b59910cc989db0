import test from 'ava';
import { CodecBench, type CodecSamples, codecContractSuite, testBound } from '../../../src/testing/index.ts';

const samples: CodecSamples = {
  config: {},
  exchanges: [
    {
      title: 'a login',
      request: { method: 'LOGIN', path: 'ann', authority: 'bound' },
      response: { status: 200 },
    },
    {
      title: 'a body in pieces',
      request: { method: 'PUT', path: '/key', authority: 'bound', body: ['hello', 'you'] },
      response: { status: 201, body: ['stored'] },
    },
    {
      title: 'a read',
      request: { method: 'GET', path: '/key', authority: 'bound' },
      response: { status: 200, body: ['hello', 'you'] },
    },
  ],
  foreign: [Buffer.from('lower case'), Buffer.of(0x9d, 1, 0, 0)],
  refused: [
    { title: 'one word', bytes: Buffer.from('GET\n0\n') },
    { title: 'a control character', bytes: Buffer.from('GET /\x01\n0\n') },
    { title: 'a length with a leading zero', bytes: Buffer.from('GET /\n01\n') },
    { title: 'an endless length', bytes: Buffer.from('GET /\n999999999') },
    { title: 'an endless line', bytes: Buffer.alloc(9000, 65) },
  ],
  refusedAnswers: [
    { title: 'a status of two digits', bytes: Buffer.from('20\n0\n') },
    { title: 'an endless status', bytes: Buffer.from('200000') },
    { title: 'a negative length', bytes: Buffer.from('200\n-1\n') },
  ],
};

codecContractSuite(test, testBound, samples);

test('the login lasts over a move', (t) => {
  const bench = new CodecBench(testBound, samples);
  bench.answerInOrder();
  for (const sample of samples.exchanges) {
    bench.send(sample);
    bench.settle();
    t.true(bench.moveServer());
  }
  t.deepEqual(
    bench.serverSink.exchanges.map((each) => each.request?.headers['x-session'] ?? ''),
    ['', 'ann', 'ann'],
  );
});
