import { damage, type FuzzRandom } from './fuzz.ts';

const targets = [
  '/',
  '/a/b?c=d',
  '/%41',
  '*',
  'http://h/x',
  'http://h',
  'h:80',
  '/a#b',
  '/a b',
  '/\x80',
  '//',
  '/a/../b',
];
const hosts = ['h', 'H', 'h:80', '', '[::1]', 'h/x', 'i', 'h,h', 'h h'];
const versions = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.', 'HTTP/11.1'];
const encodings = [
  'chunked',
  'Chunked',
  'gzip, chunked',
  'identity',
  'xchunked',
  'chunked, chunked',
  '\x0bchunked',
  '',
];
const lengths = ['3', '03', '+3', '3, 3', '-1', '0x3', '', '99999999999999999999', '3 '];
const extras = [
  'Accept: */*',
  'X-A:  b \t',
  'X-Empty:',
  'Cookie: a=b; c=d',
  'Connection: close',
  'Connection: keep-alive, X-A',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'TE: trailers',
  'Expect: 100-continue',
  'Keep-Alive: timeout=5',
  'Transfer-encoding: chunked',
  'Content-length: 3',
  ' folded: yes',
  'X_under: 1',
  'X-A : 1',
  'no colon',
  'X-Text: caf\xe9',
  'X-Ctl: a\x01b',
  'Host: h',
];
const trailerLines = [
  'X-T: 1\r\n',
  'Content-Length: 3\r\n',
  'Host: h\r\n',
  'Cookie: a\r\n',
  ' fold\r\n',
  'X\r\n',
];

function mostly<T>(random: FuzzRandom, usual: T, others: readonly T[], ratio = 0.12): T {
  return random.chance(ratio) ? random.pick(others) : usual;
}

/** A chunked body, mostly well-formed. */
function chunkedBody(random: FuzzRandom): string {
  let text = '';
  for (let i = random.below(4); i > 0; i--) {
    const size = 1 + random.below(30);
    const digits = mostly(random, size.toString(16), [
      `0x${size}`,
      `${size} `,
      `0${size.toString(16)}`,
      '',
      `+${size}`,
      'ffffffffffffffff',
    ]);
    const extension = mostly(random, '', [';a', ';a=b', ';a="b;c"', ' ;a', ';\n']);
    const line = mostly(random, '\r\n', ['\n', '\r', ' \r\n'], 0.04);
    text += `${digits}${extension}${line}${'d'.repeat(size)}${mostly(random, '\r\n', ['\n', '', '\r\r\n'], 0.04)}`;
  }
  text += mostly(random, '0', ['00', '0;x', '']);
  text += '\r\n';
  for (let i = random.below(3); i > 1; i--) text += random.pick(trailerLines);
  return text + mostly(random, '\r\n', ['\n', ''], 0.04);
}

/** Header lines that frame a body, and the body. */
function framing(random: FuzzRandom): { lines: string[]; body: string } {
  const kind = random.below(5);
  if (kind < 2) return { lines: [], body: '' };
  if (kind === 2) return { lines: [`Content-Length: ${mostly(random, '3', lengths)}`], body: 'abc' };
  if (kind === 3)
    return {
      lines: [`Transfer-Encoding: ${mostly(random, 'chunked', encodings)}`],
      body: chunkedBody(random),
    };
  const lines = [`Content-Length: ${random.pick(lengths)}`, `Transfer-Encoding: ${random.pick(encodings)}`];
  if (random.chance(0.5)) lines.reverse();
  return {
    lines: random.chance(0.3) ? [lines[0] as string, lines[0] as string] : lines,
    body: chunkedBody(random),
  };
}

function extraLines(random: FuzzRandom): string[] {
  return Array.from({ length: random.below(4) }, () => random.pick(extras));
}

function message(first: string, lines: string[], body: string, random: FuzzRandom): string {
  let text = `${first}${mostly(random, '\r\n', ['\n', '\r', ' \r\n'], 0.02)}`;
  for (const line of lines) text += `${line}${mostly(random, '\r\n', ['\n', '\r'], 0.01)}`;
  return `${text}${mostly(random, '\r\n', ['\n', '\n\n'], 0.02)}${body}`;
}

/** One or more requests. @param methods names to draw from */
export function requestInput(random: FuzzRandom, methods: readonly string[], most = 2): Buffer {
  let text = mostly(random, '', ['\r\n', '\n', ' ', '\r\n\r\n'], 0.04);
  for (let i = 1 + random.below(most); i > 0; i--) {
    const method = random.pick(methods);
    const target = mostly(random, '/a', targets, 0.4);
    const { lines, body } = framing(random);
    const head = [`Host: ${mostly(random, 'h', hosts)}`, ...lines, ...extraLines(random)];
    if (random.chance(0.05)) head.shift();
    const space = mostly(random, ' ', ['  ', '\t', ''], 0.03);
    text += message(`${method}${space}${target} ${mostly(random, 'HTTP/1.1', versions)}`, head, body, random);
  }
  const input = Buffer.from(text, 'latin1');
  return random.chance(0.25) ? damage(input, random) : input;
}

const statuses = [
  '200 OK',
  '204 No Content',
  '304 X',
  '100 Continue',
  '101 Switch',
  '404',
  '20 x',
  '2000 x',
  '999 x',
  '200\tOK',
];

export function responseInput(random: FuzzRandom): Buffer {
  let text = '';
  for (let i = 1 + random.below(2); i > 0; i--) {
    const { lines, body } = framing(random);
    const first = `${mostly(random, 'HTTP/1.1', versions)} ${mostly(random, '200 OK', statuses, 0.4)}`;
    text += message(first, [...lines, ...extraLines(random)], body, random);
  }
  const input = Buffer.from(text, 'latin1');
  return random.chance(0.25) ? damage(input, random) : input;
}
