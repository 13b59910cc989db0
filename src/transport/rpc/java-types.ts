import { HeddleError } from '../../core/base/errors.ts';

const primitives: Readonly<Record<string, string>> = {
  boolean: 'Z',
  byte: 'B',
  char: 'C',
  double: 'D',
  float: 'F',
  int: 'I',
  long: 'J',
  short: 'S',
  void: 'V',
};
const primitiveOf: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(primitives).map(([name, letter]) => [letter, name]),
);
const maxTypes = 255;
const nameForm = /^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)*$/u;

/**
 * JVM descriptor of parameter types (JVMS §4.3.3), as Dubbo sends it: `["java.lang.String", "int", "byte[]"]` is
 * "Ljava/lang/String;I[B". Also takes names in Class.getName's form ("[B", "[Ljava.lang.String;").
 *
 * @throws HeddleError ERR_RPC_VALUE
 */
export function descriptorOf(types: readonly string[]): string {
  return types.map((type) => descriptorOfOne(type)).join('');
}

function descriptorOfOne(type: string): string {
  if (type.startsWith('[')) {
    const [only, ...more] = typesOf(type.replaceAll('.', '/')) ?? [];
    if (only !== undefined && more.length === 0) return type.replaceAll('.', '/');
  } else if (type.endsWith('[]')) return `[${descriptorOfOne(type.slice(0, -2))}`;
  else if (nameForm.test(type)) return primitives[type] ?? `L${type.replaceAll('.', '/')};`;
  throw new HeddleError('ERR_RPC_VALUE', `${JSON.stringify(type.slice(0, 200))} names no Java type`);
}

/** Are these all names of Java types? */
export function typesKnown(types: readonly unknown[]): types is readonly string[] {
  return types.every((type) => {
    if (typeof type !== 'string') return false;
    try {
      return descriptorOfOne(type) !== '';
    } catch {
      return false;
    }
  });
}

/** The types of a descriptor: `"Ljava/lang/String;[J"` gives `["java.lang.String", "long[]"]`; null when it is none. */
export function typesOf(descriptor: string): string[] | null {
  const types: string[] = [];
  let at = 0;
  while (at < descriptor.length) {
    let depth = 0;
    while (descriptor[at] === '[') {
      depth++;
      at++;
    }
    const letter = descriptor[at] ?? '';
    let name = primitiveOf[letter];
    if (letter === 'L') {
      const end = descriptor.indexOf(';', at);
      if (end < 0) return null;
      name = descriptor.slice(at + 1, end).replaceAll('/', '.');
      if (!nameForm.test(name)) return null;
      at = end;
    }
    if (name === undefined || depth > maxTypes || types.length === maxTypes) return null;
    at++;
    types.push(name + '[]'.repeat(depth));
  }
  return types;
}

/** The name that Class.getName gives: "int[]" is "[I", "java.lang.String[]" is "[Ljava.lang.String;". SOFARPC sends these. */
export function classNameOf(type: string): string {
  if (!type.endsWith('[]')) return type;
  return descriptorOfOne(type).replaceAll('/', '.');
}

/** The Java type that a value has when nobody says: what a method most likely declares. */
export function inferType(value: unknown): string {
  if (isTyped(value)) return value.$class;
  switch (typeof value) {
    case 'string':
      return 'java.lang.String';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return 'long';
    case 'number':
      return numberType(value);
    default:
      return objectType(value);
  }
}

function numberType(value: number): string {
  if (!Number.isInteger(value)) return 'double';
  return value === (value | 0) ? 'int' : 'long';
}

function objectType(value: unknown): string {
  if (value === null || value === undefined) return 'java.lang.Object';
  if (value instanceof Date) return 'java.util.Date';
  if (value instanceof Uint8Array) return 'byte[]';
  if (Array.isArray(value) || value instanceof Set) return 'java.util.List';
  return 'java.util.Map';
}

/** A value with its Java class: `{ $class: 'long', $: 5 }`, `{ $class: 'com.example.User', $: { name: 'ann' } }`. */
export interface TypedValue {
  readonly $class: string;
  readonly $: unknown;
}

export function isTyped(value: unknown): value is TypedValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as TypedValue).$class === 'string' &&
    '$' in value
  );
}
