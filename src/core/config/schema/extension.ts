import * as v from 'valibot';
import { fields, textOr } from './combine.ts';
import { name } from './values.ts';

const full = fields({ name, config: v.optional(v.unknown()) });

/** `{ name, config }`, or the name alone. `config` is checked by the extension of that name later. */
const named = () =>
  v.pipe(
    textOr(name, full),
    v.transform((given): { name: string; config?: unknown } =>
      typeof given === 'string' ? { name: given } : given,
    ),
  );

// One schema object a kind: the generated JSON Schema puts the known names and their configurations in its place.
export const codec = named();
export const filter = named();
export const networkFilter = named();
export const balancer = named();
export const registry = named();
export const secretSource = named();
export const discovery = fields({ name, service: v.optional(name), config: v.optional(v.unknown()) });
