type Json = { readonly [key: string]: unknown };

/**
 * What of a value does not fit a JSON Schema (draft 7), as "path: what"; a check of its own for the keywords that the
 * generated schema uses. @throws Error for any other keyword, so that none goes unchecked
 */
export function misfits(schema: Json, value: unknown, root: Json = schema, path = ''): string[] {
  for (const keyword of Object.keys(schema)) {
    if (!Object.hasOwn(checks, keyword) && !silent.has(keyword))
      throw new Error(`unknown keyword ${keyword}`);
  }
  return Object.keys(schema).flatMap((keyword) => checks[keyword]?.(schema, value, root, path) ?? []);
}

const silent = new Set([
  '$schema',
  '$defs',
  'title',
  'description',
  'default',
  'required',
  'additionalProperties',
  'propertyNames',
]);

type Check = (schema: Json, value: unknown, root: Json, path: string) => string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fails = (path: string, what: string, isWrong: boolean): string[] =>
  isWrong ? [`${path}: ${what}`] : [];

const checks: Readonly<Record<string, Check>> = {
  $ref: ({ $ref }, value, root, path) => {
    const name = String($ref).replace('#/$defs/', '');
    return misfits((root['$defs'] as Record<string, Json>)[name] as Json, value, root, path);
  },
  type: ({ type }, value, _root, path) => {
    const types: Readonly<Record<string, boolean>> = {
      object: isObject(value),
      array: Array.isArray(value),
      string: typeof value === 'string',
      number: typeof value === 'number',
      integer: Number.isInteger(value),
      boolean: typeof value === 'boolean',
      null: value === null,
    };
    return fails(path, `no ${String(type)}`, ![type].flat().some((each) => types[each as string]));
  },
  enum: (schema, value, _root, path) =>
    fails(path, 'none of the words', !(schema['enum'] as unknown[]).includes(value)),
  const: (schema, value, _root, path) => fails(path, 'another constant', schema['const'] !== value),
  anyOf: ({ anyOf }, value, root, path) => {
    const all = (anyOf as Json[]).map((each) => misfits(each, value, root, path));
    return all.some((each) => each.length === 0)
      ? []
      : [`${path}: none of the alternatives (${all.flat()[0]})`];
  },
  allOf: ({ allOf }, value, root, path) =>
    (allOf as Json[]).flatMap((each) => misfits(each, value, root, path)),
  properties: ({ properties = {}, required = [], additionalProperties }, value, root, path) => {
    if (!isObject(value)) return [];
    const known = properties as Record<string, Json>;
    const missing = (required as string[]).filter((key) => !Object.hasOwn(value, key));
    return [
      ...missing.map((key) => `${path}.${key}: missing`),
      ...Object.entries(value).flatMap(([key, each]) => {
        const place = `${path}.${key}`;
        if (Object.hasOwn(known, key)) return misfits(known[key] as Json, each, root, place);
        if (additionalProperties === false) return [`${place}: no such key`];
        return isObject(additionalProperties) ? misfits(additionalProperties, each, root, place) : [];
      }),
    ];
  },
  items: ({ items }, value, root, path) =>
    Array.isArray(value)
      ? value.flatMap((each, index) => misfits(items as Json, each, root, `${path}[${index}]`))
      : [],
  minimum: ({ minimum }, value, _root, path) =>
    fails(path, 'too small', typeof value === 'number' && value < Number(minimum)),
  exclusiveMinimum: ({ exclusiveMinimum }, value, _root, path) =>
    fails(path, 'too small', typeof value === 'number' && value <= Number(exclusiveMinimum)),
  maximum: ({ maximum }, value, _root, path) =>
    fails(path, 'too large', typeof value === 'number' && value > Number(maximum)),
  minLength: ({ minLength }, value, _root, path) =>
    fails(path, 'too short', typeof value === 'string' && value.length < Number(minLength)),
  maxLength: ({ maxLength }, value, _root, path) =>
    fails(path, 'too long', typeof value === 'string' && value.length > Number(maxLength)),
  minItems: ({ minItems }, value, _root, path) =>
    fails(path, 'too few', Array.isArray(value) && value.length < Number(minItems)),
  maxItems: ({ maxItems }, value, _root, path) =>
    fails(path, 'too many', Array.isArray(value) && value.length > Number(maxItems)),
  pattern: ({ pattern }, value, _root, path) =>
    fails(
      path,
      `does not match ${String(pattern)}`,
      typeof value === 'string' && !new RegExp(String(pattern)).test(value),
    ),
};
