import * as v from 'valibot';
import { fields, textOr } from './combine.ts';
import { name } from './values.ts';

const full = fields({ name, config: v.optional(v.unknown()) });

/** `{ name, config }`, or the name alone. `config` is checked by the extension of that name later. */
export const extension = v.pipe(
  textOr(name, full),
  v.transform((given): { name: string; config?: unknown } =>
    typeof given === 'string' ? { name: given } : given,
  ),
);

export const discovery = fields({ name, service: v.optional(name), config: v.optional(v.unknown()) });
