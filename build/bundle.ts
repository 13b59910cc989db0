/**
 * The package in few files: a thousand small modules cost half a second of CPU to load.
 *
 *   lib/        the modules, in a handful of files; lib/yaml.cjs is the package `yaml`, which has 72
 *   src, bin    an entry for each module that is loaded by its path: package exports, workers, the command
 */
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ChunkingContext,
  type CodeSplittingNameFunction,
  type OutputChunk,
  type Plugin,
  rolldown,
} from 'rolldown';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const slashed = (path: string): string => path.split(sep).join('/');

/** @param out directory that the package.json calls dist */
export async function bundle(out: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const packages = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(
      entryModules(manifest).map((name) => [name.replaceAll('/', '.'), `${name}.ts`]),
    ),
    platform: 'node',
    external: (id) => packages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [plainBuiltins, ownPlaces, bundledYaml, asciiOnly],
    transform: { target: 'node22' },
    preserveEntrySignatures: 'allow-extension',
    treeshake: { moduleSideEffects: false, propertyReadSideEffects: false },
  });
  const { output } = await build.write({
    dir: join(out, 'lib'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    sourcemapExcludeSources: true,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ debugName: 'by start', name: createGrouping() }],
    },
    comments: false,
  });
  await build.close();
  for (const each of output) if (each.type === 'chunk' && each.isEntry) writeEntry(out, each);
  await bundleYaml(join(out, 'lib'));
}

/** What is loaded in one go: each file costs half a millisecond, and a megabyte that nobody calls 30 of them. */
const starts = {
  /** `heddle/register` where nothing is configured. */
  register: ['src/register.ts'],
  /** A mesh on this thread, from an object or a file. */
  mesh: [
    'src/mesh.ts',
    'src/standalone.ts',
    'src/embedding/register/configured.ts',
    'src/embedding/outbound.ts',
  ],
  /** Workers and agents, which need little of what a mesh needs. */
  others: [
    'src/monitor.ts',
    'src/diagnostics/index.ts',
    'src/diagnostics/monitor.worker.ts',
    'src/diagnostics/attach/agent.ts',
    'src/diagnostics/captures/capture-job.worker.ts',
    'src/core/offload/pooled-filter.worker.ts',
    'src/sharding/index.ts',
  ],
};

/** Modules that a mesh needs come in one file, those that others need as well in another; the rest as it falls. */
function createGrouping(): CodeSplittingNameFunction {
  let closures: Record<keyof typeof starts, ReadonlySet<string>> | null = null;
  return (id, context) => {
    closures ??= {
      register: closureOf(starts.register, context),
      mesh: closureOf(starts.mesh, context),
      others: closureOf(starts.others, context),
    };
    if (!closures.mesh.has(id)) return null;
    // Apart from the entry, which awaits the mesh and must not be awaited by it.
    if (closures.register.has(id)) return 'start';
    return closures.others.has(id) ? 'base' : 'mesh';
  };
}

/** The modules, and what they import at once. */
function closureOf(modules: readonly string[], context: ChunkingContext): ReadonlySet<string> {
  const all = new Set(modules.map((name) => join(root, name)));
  for (const id of all) {
    for (const imported of context.getModuleInfo(id)?.importedIds ?? []) all.add(imported);
  }
  return all;
}

/** Modules that somebody loads by their path, without extension: "src/index". */
function entryModules(manifest: Manifest): string[] {
  const exported = Object.values(manifest.exports)
    .filter((target) => typeof target !== 'string')
    .map((target) => target.default.replace(/^\.\/dist\//, '').replace(/\.js$/, ''));
  const patterns = [
    'src/**/*.worker.ts',
    'src/diagnostics/attach/agent.ts',
    'bin/cli.ts',
    'bin/demo/service.ts',
  ];
  const byPath = globSync(patterns, { cwd: root }).map((file) => slashed(file).replace(/\.ts$/, ''));
  return [...new Set([...exported, ...byPath, ...lateModules()])].toSorted();
}

/** Modules that are required when they are needed (core/base/late-module.ts): the type that is asked for names them. */
function lateModules(): string[] {
  return globSync('src/**/*.ts', { cwd: root }).flatMap((file) => {
    const found = readFileSync(join(root, file), 'utf8').matchAll(
      /^(?!\s*\*).*<typeof import\('(\.[^']+)\.ts'\)>/gm,
    );
    return [...found].map(([, name]) => slashed(join(dirname(file), name as string)));
  });
}

/** `import.meta.url` goes on naming the place of the source: what lies beside a module is looked for there. */
const ownPlaces: Plugin = {
  name: 'own-places',
  transform: {
    filter: { id: /\.ts$/, code: /import\.meta\.url/ },
    handler(code, id) {
      const place = slashed(relative(root, id)).replace(/\.ts$/, '.js');
      const here = `new URL('../${place}', import.meta.url).href`;
      // Lines of comments and of texts are left alone.
      const lines = code.replace(/^(?!\s*['*/]).*$/gm, (line) => line.replaceAll('import.meta.url', here));
      return { code: lines, map: null };
    },
  },
};

const builtin = '\0builtin:';
/** Those that cost milliseconds to load and that few programs need: loaded at the first call of one of their functions. */
const loadedLate = new Set(
  ['crypto', 'dgram', 'dns', 'tls', 'v8', 'vm', 'zlib'].map((name) => `node:${name}`),
);

/**
 * Node's own modules are taken by `process.getBuiltinModule`: an `import` reads every export, and with it loads what
 * hides behind the lazy ones, which is all of undici for `node:http` (35 ms) and Web Crypto for `node:crypto`.
 */
const plainBuiltins: Plugin = {
  name: 'plain-builtins',
  resolveId: {
    filter: { id: /^node:/ },
    handler: (id) => `${builtin}${id}`,
  },
  load: {
    filter: { id: /^\0builtin:/ },
    handler(id) {
      const name = id.slice(builtin.length);
      const exported = process.getBuiltinModule(name) as Record<string, unknown>;
      const names = Object.keys(exported).filter((key) => key !== 'default');
      const take = `process.getBuiltinModule('${name}')`;
      if (loadedLate.has(name)) return names.map((key) => lateExport(take, key, exported[key])).join('\n');
      const lines = names.map((key) => `export const ${key} = module.${key};`);
      return [`const module = ${take};`, 'export default module;', ...lines].join('\n');
    },
  },
};

/** A class gives instances of the real one; `instanceof` and `extends` would not work with it. */
function lateExport(take: string, key: string, value: unknown): string {
  const real = `${take}.${key}`;
  if (typeof value !== 'function') {
    return `export const ${key} = /* @__PURE__ */ new Proxy({}, { get: (_, key) => ${real}[key] });`;
  }
  return /^[A-Z]/.test(key)
    ? `export function ${key}(...given) { return new (${real})(...given); }`
    : `export function ${key}(...given) { return ${real}(...given); }`;
}

/** One byte a character in memory, and half the time to scan. */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  renderChunk(code) {
    const escaped = code.replace(
      /[^\0-\x7f]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return { code: escaped, map: null };
  },
};

const yamlLoader = 'src/core/base/yaml.ts';

const bundledYaml: Plugin = {
  name: 'bundled-yaml',
  transform: {
    filter: { id: new RegExp(`/${yamlLoader.replaceAll('.', '\\.')}$`) },
    handler(code) {
      const up = '../'.repeat(yamlLoader.split('/').length - 1);
      const changed = code.replace("('yaml')", `('${up}lib/yaml.cjs')`);
      if (changed === code) throw new Error(`${yamlLoader} does not load 'yaml' any more`);
      return { code: changed, map: null };
    },
  },
};

async function bundleYaml(lib: string): Promise<void> {
  const build = await rolldown({ cwd: root, input: 'yaml', platform: 'node' });
  await build.write({ file: join(lib, 'yaml.cjs'), format: 'cjs' });
  await build.close();
  copyFileSync(join(root, 'node_modules/yaml/LICENSE'), join(lib, 'yaml.LICENSE'));
}

/** A module at the source's place that is the bundled one. */
function writeEntry(out: string, chunk: OutputChunk): void {
  const name = relative(root, chunk.facadeModuleId as string).replace(/\.ts$/, '');
  const path = join(out, `${name}.js`);
  const target = slashed(relative(dirname(path), join(out, 'lib', chunk.fileName)));
  const lines = [`export * from '${target}';`];
  if (chunk.exports.includes('default')) lines.push(`export { default } from '${target}';`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
}
