import test from 'ava';
import type { Codec, CodecState, ServerCodec } from '../../src/core/contract/codec.ts';
import {
  type CodecSamples,
  codecContractSuite,
  type SuiteAssertions,
  testMux,
} from '../../src/testing/index.ts';

const samples: CodecSamples = {
  config: {},
  exchanges: [
    {
      title: 'one',
      request: { method: 'POST', path: '/a', authority: 'users', body: ['hello'] },
      response: { status: 200, body: ['world'] },
    },
    {
      title: 'two',
      request: { method: 'GET', path: '/b', authority: 'users' },
      response: { status: 200, body: ['again'] },
    },
  ],
  foreign: [Buffer.from('GET')],
  refused: [{ title: 'noise', bytes: Buffer.alloc(12, 1) }],
  refusedAnswers: [{ title: 'noise', bytes: Buffer.alloc(12, 1) }],
};

/** Titles of the tests that fail for `codec`, without its name. */
function failuresOf(codec: Codec): string[] {
  const failed: string[] = [];
  codecContractSuite(
    (title, run) => {
      let isOk = true;
      const expect = (holds: boolean): void => {
        if (!holds) isOk = false;
      };
      const t: SuiteAssertions = {
        is: (actual, expected) => expect(Object.is(actual, expected)),
        deepEqual: (actual, expected) => expect(JSON.stringify(actual) === JSON.stringify(expected)),
        true: (actual) => expect(actual === true),
        false: (actual) => expect(actual === false),
      };
      try {
        void run(t);
      } catch {
        isOk = false;
      }
      if (!isOk) failed.push(title.replace(`${codec.name}: `, ''));
    },
    codec,
    samples,
    { fuzzInputs: 20 },
  );
  return failed;
}

/** The sound codec with one thing of its server changed. */
function withServer(change: (server: ServerCodec) => void): Codec {
  return {
    ...testMux,
    server: (wire, context, owner, config) => {
      const server = testMux.server(wire, context, owner, config);
      change(server);
      return server;
    },
  };
}

test('the sound codec passes', (t) => {
  t.deepEqual(failuresOf(testMux), []);
});

test('a codec that loses held bytes in a move fails there', (t) => {
  const failed = failuresOf(
    withServer((server) => {
      const sound = server.exportState.bind(server);
      server.exportState = (): CodecState | null => {
        const state = sound();
        return state === null ? null : { ...state, unread: Buffer.alloc(0) };
      };
    }),
  );
  t.deepEqual(failed, ['a server moves with every number of bytes of the next request already there']);
});

test('a codec that keeps borrowed bytes fails where reads are overwritten', (t) => {
  const failed = failuresOf(
    withServer((server) => {
      const sound = server.onBytes.bind(server);
      let held: Buffer[] = [];
      // Holds the first piece of each read back until the next: without a copy.
      server.onBytes = (buf, start, end) => {
        if (end - start < 12) {
          held.push(buf.subarray(start, end));
          return;
        }
        const all = Buffer.concat([...held, buf.subarray(start, end)]);
        held = [];
        sound(all, 0, all.length);
      };
    }),
  );
  t.true(failed.includes('reads that are overwritten once they return change nothing'));
});

test('a codec that ignores drain, or answers head and body in two writes, is told so', (t) => {
  t.deepEqual(
    failuresOf(
      withServer((server) => {
        server.drain = () => {};
      }),
    ),
    ['drain ends an idle connection at once', 'drain lets a stream finish and then ends the connection'],
  );
  const twoWrites: Codec = {
    ...testMux,
    client: (wire, context, owner, config) => {
      const sound = wire.write.bind(wire);
      wire.write = (buf, start, end) => {
        sound(buf, start, start + 1);
        return sound(buf, start + 1, end);
      };
      return testMux.client(wire, context, owner, config);
    },
  };
  t.deepEqual(failuresOf(twoWrites), ['head and first body bytes leave in one write']);
});
