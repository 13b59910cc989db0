import * as v from 'valibot';
import type { Endpoint } from '../../core/contract/cluster.ts';
import {
  type HealthCheckContext,
  type HealthCheckDefinition,
  ProbeResult,
} from '../../core/contract/health-check.ts';
import type { Wire } from '../../core/contract/wire.ts';
import { withPort } from './address-port.ts';
import { ProbeConnection } from './probe-connection.ts';

/** What is looked for in the answer is looked for in this many bytes. */
const maxAnswerBytes = 65_536;

const hex = v.pipe(
  v.string(),
  v.regex(/^([0-9a-fA-F]{2})+$/, 'pairs of hexadecimal digits'),
  v.maxLength(65_536),
);
const payload = v.optional(
  v.union([
    v.strictObject({ text: v.pipe(v.string(), v.minLength(1), v.maxLength(32_768)) }),
    v.strictObject({ hex }),
  ]),
);

const config = v.pipe(
  v.strictObject({
    /** Instead of the host's own port; 0 = that. */
    port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0),
    /** Sent on each check; without it a connection that comes about is enough. */
    send: payload,
    /** Must stand in the answer. */
    expect: payload,
  }),
  v.check((given) => given.send === undefined || given.expect !== undefined, '"send" needs "expect"'),
);
type Config = v.InferOutput<typeof config>;

class TcpProbe extends ProbeConnection {
  readonly #send: Buffer | null;
  readonly #expect: Buffer | null;
  readonly #keeps: boolean;
  #answer: Buffer = Buffer.alloc(0);

  constructor(address: string, context: HealthCheckContext, send: Buffer | null, expect: Buffer | null) {
    super(address, context.dial);
    this.#send = send;
    this.#expect = expect;
    // A banner comes once a connection.
    this.#keeps = context.reuseConnection && send !== null;
  }

  protected override send(wire: Wire): void {
    this.#answer = Buffer.alloc(0);
    if (this.#send !== null) wire.write(this.#send, 0, this.#send.length);
  }

  override connected(): void {
    if (this.#expect === null) this.finish(ProbeResult.pass, '', false);
  }

  override received(buf: Buffer, start: number, end: number): void {
    if (this.#expect === null) return;
    this.#answer = Buffer.concat([this.#answer, buf.subarray(start, end)]);
    if (this.#answer.includes(this.#expect)) {
      this.#answer = Buffer.alloc(0);
      this.finish(ProbeResult.pass, '', this.#keeps);
    } else if (this.#answer.length > maxAnswerBytes) {
      this.#answer = Buffer.alloc(0);
      this.finish(ProbeResult.fail, 'answer_differs', false);
    }
  }
}

/** A connection that comes about, or one that answers some bytes with others. */
export const tcpCheck: HealthCheckDefinition<Config> = {
  name: 'tcp',
  config,
  create: (given, context) => {
    const send = bytesOf(given.send);
    const expect = bytesOf(given.expect);
    return (host: Endpoint) => new TcpProbe(withPort(host.address, given.port), context, send, expect);
  },
};

function bytesOf(given: Config['send']): Buffer | null {
  if (given === undefined) return null;
  return 'hex' in given ? Buffer.from(given.hex, 'hex') : Buffer.from(given.text);
}
