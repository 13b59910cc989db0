import { damage, type FuzzRandom } from './fuzz.ts';
import { HessianMaker } from './hessian-inputs.ts';

const types = ['I', 'J', 'Ljava/lang/String;', '[B', '[[Lcom.acme.User;', 'Ljava/lang/Object;'];

/** One Dubbo frame; `isDamaged` tells how it was made: the body is damaged, now and then the header too. */
export function dubboFrame(random: FuzzRandom, isDamaged: boolean): Buffer {
  const isRequest = random.chance(0.6);
  const isEvent = random.chance(0.1);
  let body = isEvent ? eventBody(random) : isRequest ? requestBody(random) : answerBody(random);
  const status = isRequest ? 0 : random.pick([20, 20, 20, 30, 40, 60, 100, 7]);
  if (!isRequest && !isEvent && status !== 20) body = new HessianMaker(random, false).string('failed');
  if (isDamaged) body = damage(body, random);
  const flag = (isRequest ? 0x80 | (random.chance(0.8) ? 0x40 : 0) : 0) | (isEvent ? 0x20 : 0);
  const serialization = random.chance(0.9) ? 2 : random.below(32);
  const header = Buffer.concat([
    Buffer.of(0xda, 0xbb, flag | serialization, status),
    isRequest ? random.bytes(8) : Buffer.from([0, 0, 0, 0, ...random.bytes(4)]),
    Buffer.alloc(4),
  ]);
  header.writeInt32BE(body.length, 12);
  const frame = Buffer.concat([header, body]);
  return isDamaged && random.chance(0.1) ? damage(frame, random) : frame;
}

function requestBody(random: FuzzRandom): Buffer {
  const maker = new HessianMaker(random, false);
  const count = random.chance(0.3) ? 0 : random.below(5);
  const isGeneric = random.chance(0.1);
  const descriptor = isGeneric
    ? 'Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;'
    : Array.from({ length: count }, () => random.pick(types)).join('');
  const parts = [
    maker.string(random.pick(['2.0.2', '5.3.0', ''])),
    maker.string(random.pick(['com.acme.Demo', 'a', `com.${'x'.repeat(60)}`])),
    random.chance(0.2) ? Buffer.of(0x4e) : maker.string('1.0.0'),
    maker.string(isGeneric ? '$invoke' : random.pick(['sayHello', 'm', '$echo'])),
    random.chance(0.1) ? Buffer.of(0x8f) : Buffer.alloc(0),
    maker.string(descriptor),
    ...Array.from({ length: isGeneric ? 3 : count }, () => maker.value()),
    random.chance(0.1) ? Buffer.of(0x4e) : maker.map(random.below(6)),
  ];
  // Words in several pieces are nothing that a consumer sends, and are refused.
  return Buffer.concat(parts);
}

function answerBody(random: FuzzRandom): Buffer {
  const maker = new HessianMaker(random, false);
  const result = random.below(6);
  const value = result === 2 || result === 5 ? Buffer.alloc(0) : maker.value();
  const attachments = result > 2 ? maker.map(random.below(5)) : Buffer.alloc(0);
  return Buffer.concat([Buffer.of(0x90 + result), value, attachments]);
}

function eventBody(random: FuzzRandom): Buffer {
  return random.pick([Buffer.of(0x4e), Buffer.from('\x01R'), Buffer.from('\x01W'), random.bytes(3)]);
}
