import { HeddleError } from '../../core/base/errors.ts';
import { classNameOf, isTyped } from './java-types.ts';

/** Lists, maps and objects within one another. */
const maxDepth = 128;
const maxLong = 2n ** 63n;

const numberTypes: ReadonlySet<string> = new Set(
  ['byte', 'short', 'int', 'float', 'double'].concat(
    ['Byte', 'Short', 'Integer', 'Float', 'Double'].map((name) => `java.lang.${name}`),
  ),
);
const longTypes: ReadonlySet<string> = new Set(['long', 'java.lang.Long']);
/** Interfaces and classes that the libraries' own choice for arrays and objects fits. */
const untyped: ReadonlySet<string> = new Set([
  'java.lang.Object',
  'java.util.List',
  'java.util.Collection',
  'java.lang.Iterable',
  'java.util.ArrayList',
  'java.util.Map',
  'java.util.HashMap',
]);
/** What a type takes besides its own values, for those who have only JSON. */
const scalars: Readonly<Record<string, (value: unknown) => unknown>> = {
  'java.lang.String': (value) => (typeof value === 'string' ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  'java.lang.Boolean': (value) => (typeof value === 'boolean' ? value : undefined),
  'java.util.Date': dateOf,
  'byte[]': bytesOf,
};

/**
 * Values as the hessian libraries take them. One converter a message: what occurs twice stays one object, so cycles work.
 *
 *   undefined -> null        bigint -> long          Uint8Array -> byte[]        Set -> list        Map -> map
 *   { $class, $ } -> that Java class, its fields converted
 *
 * @throws HeddleError ERR_RPC_VALUE
 */
export class JavaConverter {
  readonly #known = new Map<object, unknown>();

  /** @param type Java type that the receiver declares; absent: what the value looks like */
  convert(value: unknown, type?: string): unknown {
    if (type === undefined || isTyped(value)) return this.#any(value, 0);
    return this.#as(type, value);
  }

  #as(type: string, value: unknown): unknown {
    if (value === null || value === undefined) return null;
    if (longTypes.has(type)) return { $class: 'long', $: longText(value) };
    if (numberTypes.has(type)) return { $class: type, $: numberOf(type, value) };
    const scalar = scalars[type];
    if (scalar !== undefined) return checkedScalar(type, value, scalar(value));
    if (untyped.has(type) || value instanceof Date) return this.#any(value, 0);
    if (Array.isArray(value)) return this.#array(type, value);
    if (typeof value !== 'object' || value instanceof Uint8Array) return this.#any(value, 0);
    return this.#any({ $class: type, $: value }, 0);
  }

  #array(type: string, values: readonly unknown[]): unknown {
    const name = type.endsWith('[]') ? type : null;
    const items =
      name === null ? this.#any(values, 0) : values.map((each) => this.#as(name.slice(0, -2), each));
    return { $class: hessianListType(type), $: items };
  }

  #any(value: unknown, depth: number): unknown {
    if (typeof value === 'bigint') return { $class: 'long', $: longText(value) };
    // The libraries would make a long of 1e300, the largest there is, and null of NaN.
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return { $class: 'double', $: value };
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new HeddleError('ERR_RPC_VALUE', `a ${typeof value} cannot be sent`);
    }
    if (value === undefined || value === null) return null;
    if (typeof value !== 'object' || value instanceof Date || Buffer.isBuffer(value)) return value;
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (depth >= maxDepth) throw new HeddleError('ERR_RPC_VALUE', `nested more than ${maxDepth} deep`);
    const known = this.#known.get(value);
    return known ?? this.#object(value, depth + 1);
  }

  #object(value: object, depth: number): unknown {
    if (Array.isArray(value) || value instanceof Set) {
      const list: unknown[] = [];
      this.#known.set(value, list);
      for (const each of value) list.push(this.#any(each, depth));
      return list;
    }
    if (value instanceof Map) {
      const map = new Map<unknown, unknown>();
      this.#known.set(value, map);
      for (const [key, each] of value) map.set(this.#any(key, depth), this.#any(each, depth));
      return map;
    }
    return isTyped(value) ? this.#typed(value, depth) : this.#fields(value, value, {}, depth);
  }

  #typed(value: { readonly $class: string; readonly $: unknown }, depth: number): unknown {
    const { $class, $ } = value;
    if ($ === null || $ === undefined) return null;
    if (longTypes.has($class)) return { $class: 'long', $: longText($) };
    if (numberTypes.has($class)) return { $class, $: numberOf($class, $) };
    if ($ instanceof Uint8Array) return this.#any($, depth);
    if (Array.isArray($)) {
      const list = { $class: hessianListType($class), $: [] as unknown[] };
      this.#known.set(value, list);
      const item = $class.endsWith('[]') ? $class.slice(0, -2) : null;
      for (const each of $) list.$.push(item === null ? this.#any(each, depth) : this.#as(item, each));
      return list;
    }
    if (typeof $ !== 'object' || $ instanceof Date || $ instanceof Map)
      return { $class, $: this.#any($, depth) };
    const fields: Record<string, unknown> = {};
    const typed = { $class, $: fields };
    this.#known.set(value, typed);
    this.#fields($, null, fields, depth);
    return typed;
  }

  #fields(
    from: object,
    identity: object | null,
    into: Record<string, unknown>,
    depth: number,
  ): Record<string, unknown> {
    if (identity !== null) this.#known.set(identity, into);
    for (const [name, each] of Object.entries(from)) {
      if (typeof each !== 'function') defineField(into, name, this.#any(each, depth));
    }
    return into;
  }
}

/** A name from outside never reaches a setter ("__proto__"). */
export function defineField(target: object, name: string, value: unknown): void {
  if (name !== '__proto__') (target as Record<string, unknown>)[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Hessian writes a type of an array as "[int", "[string", "[object", "[com.example.User"; of a list as its class. */
function hessianListType(type: string): string {
  if (!type.endsWith('[]')) return classNameOf(type);
  const item = type.slice(0, -2);
  if (item.endsWith('[]')) return `[${hessianListType(item)}`;
  if (item === 'java.lang.String') return '[string';
  return item === 'java.lang.Object' ? '[object' : `[${item}`;
}

function checkedScalar(type: string, value: unknown, converted: unknown): unknown {
  if (converted !== undefined) return converted;
  throw new HeddleError('ERR_RPC_VALUE', `${describe(value)} is no ${type}`);
}

/** A Date, milliseconds, or ISO 8601 text. */
function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'number' && typeof value !== 'string' && !(value instanceof Date)) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Bytes, or their base64. */
function bytesOf(value: unknown): Buffer | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined;
  return Buffer.from(value, 'base64');
}

function longText(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return longText(BigInt(value));
  if (typeof value === 'bigint' && value >= -maxLong && value < maxLong) return String(value);
  throw new HeddleError('ERR_RPC_VALUE', `${describe(value)} is no long`);
}

function numberOf(type: string, value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') throw new HeddleError('ERR_RPC_VALUE', `${describe(value)} is no ${type}`);
  const bits = /byte/i.test(type) ? 8 : /short/i.test(type) ? 16 : /int/i.test(type) ? 32 : 0;
  if (bits > 0 && (!Number.isInteger(number) || number < -(2 ** (bits - 1)) || number >= 2 ** (bits - 1))) {
    throw new HeddleError('ERR_RPC_VALUE', `${describe(value)} is no ${type}`);
  }
  return number;
}

function describe(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `${typeof value} ${text.slice(0, 60)}`;
}
