import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import test from 'ava';
import { expectTypeOf } from 'expect-type';
import {
  createMesh,
  defineConfig,
  type ErrorCode,
  type FetchHandler,
  HeddleError,
  type Mesh,
  type MeshApi,
  type MeshConfig,
  type MeshResponse,
  type ReloadResult,
  type Standalone,
  type StreamFilterDefinition,
  type Supervisor,
  startStandalone,
  startSupervisor,
} from '../src/index.ts';

/** Names that the text exports, by `export { ... }` and `export type { ... }`, in braces as the entry points have them. */
function exportedBy(file: string): Set<string> {
  const lists = [...readFileSync(file, 'utf8').matchAll(/export(?: type)? \{([^}]*)\}/g)];
  const names = lists.flatMap(([, list = '']) => list.split(','));
  return new Set(names.map((name) => name.replace(/^\s*type\s/, '').trim()));
}

/** `export * from` of `heddle/core`: whole files of contracts. */
function contractNames(): Set<string> {
  const files = [
    ...readFileSync('src/core/index.ts', 'utf8').matchAll(/export (?:type )?\* from '\.\/([^']+)'/g),
  ];
  const texts = files.map(([, file = '']) => readFileSync(`src/core/${file}`, 'utf8'));
  const declared = texts.flatMap((text) => [
    ...text.matchAll(/^export (?:interface|type|class|const) (\w+)/gm),
  ]);
  return new Set(declared.map(([, name = '']) => name));
}

for (const file of ['src/mesh-api.ts', 'src/standalone.ts', 'src/supervisor.ts']) {
  test(`every type that the public interfaces of ${file} speak of can be imported`, (t) => {
    const text = readFileSync(file, 'utf8');
    const known = new Set([
      ...exportedBy('src/index.ts'),
      ...exportedBy('src/core/index.ts'),
      ...contractNames(),
    ]);
    const imported = [...text.matchAll(/^import (type )?\{([^}]*)\} from '\.[^']*'/gm)].flatMap(
      ([, isType, list = '']) =>
        list
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && (isType !== undefined || name.startsWith('type ')))
          .map((name) => name.replace(/^type\s/, '')),
    );
    t.true(imported.length > 3);
    const declarations = publicDeclarations(text);
    const spoken = imported.filter((name) => new RegExp(`\\b${name}\\b`).test(declarations));
    t.deepEqual(
      spoken.filter((name) => !known.has(name)),
      [],
    );
  });
}

/** Exported interfaces, and signatures of exported classes and functions without `#private` members and bodies. */
function publicDeclarations(text: string): string {
  const interfaces = [...text.matchAll(/^export interface [\s\S]*?^\}/gm)].map(([all]) => all);
  const methods = [
    ...text.matchAll(
      /^ {2}(?!(?:async |readonly |get )?#|constructor|(?:return|await|const) )(?:async |readonly |get )?\w+[^\n]*[{;]$/gm,
    ),
  ];
  const functions = [...text.matchAll(/^export (?:async )?function [^{]*\{$/gm)];
  return [...interfaces, ...methods.map(([all]) => all), ...functions.map(([all]) => all)].join('\n');
}

test('the ways in have the types that the docs promise', (t) => {
  const plain = () => createMesh({});
  const threaded = () => createMesh({ mode: 'worker' });
  expectTypeOf(plain).returns.resolves.toEqualTypeOf<Mesh>();
  expectTypeOf(threaded).returns.resolves.toEqualTypeOf<MeshApi>();
  expectTypeOf<Mesh>().toExtend<MeshApi>();
  expectTypeOf<Mesh>().toExtend<AsyncDisposable>();
  expectTypeOf<MeshApi['request']>().returns.resolves.toEqualTypeOf<MeshResponse>();
  expectTypeOf<MeshApi['fetch']>().parameter(0).toEqualTypeOf<string | URL | Request>();
  expectTypeOf<MeshApi['fetch']>().returns.resolves.toEqualTypeOf<Response>();
  expectTypeOf<MeshApi['connect']>().returns.resolves.toEqualTypeOf<Duplex>();
  expectTypeOf<MeshApi['handle']>().parameter(1).toEqualTypeOf<FetchHandler>();
  expectTypeOf<MeshApi['reload']>().returns.resolves.toEqualTypeOf<ReloadResult>();
  expectTypeOf<MeshResponse['json']>().returns.resolves.toBeUnknown();
  expectTypeOf(startStandalone).returns.resolves.toEqualTypeOf<Standalone>();
  expectTypeOf(startSupervisor).returns.resolves.toEqualTypeOf<Supervisor>();
  expectTypeOf(defineConfig).returns.toEqualTypeOf<MeshConfig>();
  expectTypeOf<HeddleError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<StreamFilterDefinition<{ limit: number }>['create']>()
    .parameter(0)
    .toEqualTypeOf<{ limit: number }>();
  t.pass();
});

test('what is wrong does not compile', (t) => {
  const wrong = (): unknown[] => [
    // @ts-expect-error a misspelt key
    createMesh({ clutsers: [] }),
    // @ts-expect-error a cluster has a name
    createMesh({ clusters: [{ endpoints: ['a:1'] }] }),
    // @ts-expect-error not a code
    new HeddleError('ERR_NOT_THERE', ''),
    // @ts-expect-error one of the modes
    createMesh({ mode: 'thread' }),
  ];
  t.is(typeof wrong, 'function');
});
