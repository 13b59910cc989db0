import * as v from 'valibot';
import { parseAddress } from '../../base/address.ts';
import { tokenByte, valueByte } from '../../base/header-field.ts';
import { hidden, Secret } from '../../base/secret.ts';

/** Whole numbers between two bounds, both included. */
export const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** Longest delay that a timer takes: 2^31 - 1 ms, about 24 days. */
export const milliseconds = integer(0, 2_147_483_647);
export const count = integer(0, 4_294_967_295);
export const sizeBytes = integer(0, Number.MAX_SAFE_INTEGER);

/** A name that may stand in a metric label, a log line or a message. */
export const name = v.pipe(
  v.string(),
  v.minLength(1, 'a name of at least 1 character'),
  v.maxLength(200, 'a name of at most 200 characters'),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  v.regex(/^[^\u0000-\u001f\u007f]*$/, 'a name without control characters'),
);

const addressText = '"host:port", "[ipv6]:port" or "unix:/path"';
export const address = v.pipe(
  v.string(),
  v.check((text) => parseAddress(text) !== null, addressText),
);
/** As `address`; a host cannot be dialled at port 0. */
export const hostAddress = v.pipe(v.string(), v.check(isHostAddress, `${addressText}, port 1 to 65535`));

function isHostAddress(text: string): boolean {
  const parsed = parseAddress(text);
  return parsed !== null && (parsed.kind === 'unix' || parsed.port > 0);
}

const every = (text: string, table: Uint8Array): boolean => {
  for (let i = 0; i < text.length; i++) if (table[text.charCodeAt(i)] !== 1) return false;
  return true;
};

/** RFC 9110 §5.6.2 token. */
export const token = v.pipe(
  v.string(),
  v.check(
    (text) => text !== '' && every(text, tokenByte),
    'a token of RFC 9110 (letters, digits, - _ . and the like)',
  ),
);

/** RFC 9110 §5.5 field value. */
export const headerValue = v.pipe(
  v.string(),
  v.check((text) => every(text, valueByte), 'a header value without control characters'),
);

/** A path without query or fragment. */
export const path = v.pipe(
  v.string(),
  v.check(
    (text) => /^\/[\u0021-\u007e\u0080-\u00ff]*$/.test(text) && !/[?#]/.test(text),
    'a path that begins with "/", without blanks, "?" or "#"',
  ),
);

/** Host with optional port, as it stands in a request. */
export const authority = v.pipe(
  v.string(),
  v.check((text) => /^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/.test(text), '"host" or "host:port"'),
);

export const secret = v.pipe(
  v.union([v.string(), v.instance(Secret)]),
  v.check(
    (given) => given !== hidden,
    `the secret itself; "${hidden}" stands in a dump without "heddle dump --secrets"`,
  ),
  v.transform((given) => (given instanceof Secret ? given : new Secret(given))),
);
