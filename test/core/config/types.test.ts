import test from 'ava';
import { expectTypeOf } from 'expect-type';
import type * as v from 'valibot';
import { requireConfig } from '../../../src/core/config/check.ts';
import { defineConfig, type MeshConfig } from '../../../src/core/config/input.ts';
import type { mesh } from '../../../src/core/config/schema/mesh.ts';
import type { EffectiveConfig } from '../../../src/core/contract/config.ts';
import { fakeExtensions } from './support.ts';

/** Lists and objects made mutable, as valibot types them. */
type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends string | number | boolean | undefined | { reveal(): string }
    ? T
    : { -readonly [K in keyof T]: Mutable<T[K]> };

test('the documented types are those of the schema', (t) => {
  expectTypeOf<Mutable<MeshConfig>>().toExtend<v.InferInput<typeof mesh>>();
  expectTypeOf<Omit<v.InferOutput<typeof mesh>, '$schema' | 'clusters'>>().toExtend<
    Omit<EffectiveConfig, 'clusters'>
  >();
  expectTypeOf<EffectiveConfig>().toExtend<MeshConfig>();
  t.pass();
});

test('defineConfig takes shorthands and refuses misspelt keys', (t) => {
  const config = defineConfig({
    clusters: [{ name: 'users', endpoints: ['127.0.0.1:1', { address: 'unix:/a', weight: 2 }] }],
    inProcess: { filters: ['cors', { name: 'local-rate-limit', config: { perSecond: 1 } }] },
  });
  t.is(requireConfig(config, fakeExtensions()).clusters[0]?.endpoints.length, 2);
  // @ts-expect-error a misspelt key
  defineConfig({ cluster: [] });
  // @ts-expect-error a misspelt key further inside
  defineConfig({ clusters: [{ name: 'a', pool: { preconect: 1 } }] });
  // @ts-expect-error a number where a text belongs
  defineConfig({ clusters: [{ name: 1 }] });
});
