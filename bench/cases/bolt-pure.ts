/**
 * Measures a Bolt request through Heddle on fake sockets: `bolt-pure.ts VARIANT SECONDS` prints ns per request.
 * `minNs` is the second percentile of rounds of 3 ms: short enough to pass between what else the machine does.
 * 64 connections that send 32 frames in a read, one upstream connection; routes by service, filters, metrics are real.
 *
 *   bare, full     without filters, and with six
 *   unique         as full, and no head comes twice: nothing of an earlier call can be used again
 *   edited         as full, and a filter adds a header to each request and each answer
 *   harness        the measuring alone: making the reads and the answers
 */
import { createMesh } from '../../src/mesh.ts';
import { bolt } from '../../src/transport/codecs/bolt/index.ts';
import {
  answerBytes,
  boltConfig,
  requestBytes,
  requestFrame,
  responseFrame,
} from '../harness/bolt-frames.ts';
import { FakeWire } from './fake-wire.ts';

const connections = 64;
const window = Number(process.env['BENCH_WINDOW'] ?? 32);

type Variant = 'bare' | 'full' | 'unique' | 'edited' | 'harness';

/** Where the value of the header `app` begins in a request, and its size. */
const appAt = requestFrame(0, 0).indexOf('app-');
const appBytes = 5;

function patchIds(chunk: Buffer, size: number, count: number, from: number): void {
  for (let i = 0; i < count; i++) chunk.writeUInt32BE(from + i, i * size + 5);
}

/** Another value of `app` for each request. */
class Apps {
  #next = 0;

  write(chunk: Buffer, size: number, count: number): void {
    for (let i = 0; i < count; i++) {
      let number = this.#next++;
      for (let at = i * size + appAt; at < i * size + appAt + appBytes; at++) {
        chunk[at] = 97 + (number % 26);
        number = Math.floor(number / 26);
      }
    }
  }
}

/** Answers every frame that was written, in one read. */
class Backend {
  readonly wire: FakeWire;
  answered = 0;
  readonly #answers = Buffer.concat(Array.from({ length: 256 }, () => responseFrame(0)));
  #ids: number[] = [];

  constructor() {
    this.wire = new FakeWire('dialled');
    const write = this.wire.write.bind(this.wire);
    this.wire.write = (buf, start, end) => {
      for (let at = start; at < end; ) {
        this.#ids.push(buf.readUInt32BE(at + 5));
        at += buf.readUInt16BE(at + 14) + buf.readUInt16BE(at + 16) + buf.readUInt32BE(at + 18) + 22;
      }
      return write(buf, start, end);
    };
  }

  answerAll(deliver: boolean): void {
    const ids = this.#ids;
    for (let from = 0; from < ids.length; from += 150) {
      const count = Math.min(150, ids.length - from);
      for (let i = 0; i < count; i++)
        this.#answers.writeUInt32BE(ids[from + i] as number, i * answerBytes + 5);
      if (deliver) this.wire.receive(this.#answers.subarray(0, count * answerBytes));
      this.answered += count;
    }
    ids.length = 0;
  }
}

function levelOf(variant: Variant): 'bare' | 'full' | 'edited' {
  if (variant === 'harness') return 'bare';
  return variant === 'unique' ? 'full' : variant;
}

async function main(variant: Variant, seconds: number): Promise<void> {
  const backend = new Backend();
  const mesh = await createMesh(
    boltConfig({ backend: '127.0.0.1:9', level: levelOf(variant) }, '127.0.0.1:0'),
    { surroundings: { dial: () => backend.wire } },
  );
  const [listener] = mesh.listeners.all;
  if (listener === undefined) throw new Error('no listener');
  const config = mesh.config.listeners[0]?.codec.config as Parameters<typeof bolt.server>[3];
  const dirty: { flush(): void }[] = [];
  const context = { ...mesh.runtime.codec, flushLater: (each: { flush(): void }) => void dirty.push(each) };
  Object.assign(mesh.runtime.codec, { flushLater: context.flushLater });
  const flushAll = (): void => {
    for (const each of dirty.splice(0)) each.flush();
  };
  const wires = Array.from({ length: connections }, () => new FakeWire('accepted'));
  for (const wire of wires) bolt.server(wire, context, listener, config);
  const templates = wires.map((_, c) =>
    Buffer.concat(Array.from({ length: window }, (_, i) => requestFrame(c * window + i, 0))),
  );
  const apps = new Apps();
  const round = (): void => {
    let wanted = 0;
    for (let c = 0; c < connections; c++) {
      const chunk = Buffer.from(templates[c] as Buffer);
      patchIds(chunk, requestBytes, window, 1);
      if (variant === 'unique') apps.write(chunk, requestBytes, window);
      if (variant === 'harness') backend.wire.write(chunk, 0, chunk.length);
      else (wires[c] as FakeWire).receive(chunk);
      wanted += window;
    }
    flushAll();
    backend.wire.established();
    const before = backend.answered;
    backend.answerAll(variant !== 'harness');
    flushAll();
    if (backend.answered - before !== wanted) throw new Error(`${backend.answered - before} of ${wanted}`);
    if (variant === 'harness') return;
    for (const wire of wires) if (!wire.take()) throw new Error('no answer');
  };
  for (let i = 0; i < 200; i++) round();
  for (const wire of wires) wire.bytesWritten = 0;
  round();
  for (const wire of wires) {
    if ((variant === 'bare' || variant === 'full') && wire.bytesWritten !== window * answerBytes)
      throw new Error(`${wire.bytesWritten} bytes`);
  }
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const from = performance.now();
    round();
    times.push(((performance.now() - from) * 1e6) / (connections * window));
  }
  times.sort((a, b) => a - b);
  const at = (quantile: number): number => Math.round(times[Math.floor(times.length * quantile)] ?? 0);
  process.stdout.write(`${JSON.stringify({ variant, ns: at(0.5), minNs: at(0.02) })}\n`);
  process.exit(0);
}

await main((process.argv[2] ?? 'full') as Variant, Number(process.argv[3] ?? 3));
