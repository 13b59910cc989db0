import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the order in which the browser has to load them: each adds itself to the global `d3`. */
const d3Modules = [
  'd3-array',
  'd3-dispatch',
  'd3-ease',
  'd3-format',
  'd3-hierarchy',
  'd3-color',
  'd3-interpolate',
  'd3-time',
  'd3-time-format',
  'd3-scale',
  'd3-selection',
  'd3-timer',
  'd3-transition',
] as const;

/** Where the browser files of the packaged viewers and of our own page lie on disk. */
export interface ViewerLibrary {
  /** URL name of each script to its file, in loading order. */
  readonly scripts: ReadonlyMap<string, string>;
  readonly speedscopeDirectory: string;
  readonly pageDirectory: string;
}

/** Resolves the packages from where they are installed; nothing is fetched from a network. */
export function findLibrary(): ViewerLibrary {
  const require = createRequire(import.meta.url);
  const flameGraph = require.resolve('d3-flame-graph');
  const fromFlameGraph = createRequire(flameGraph);
  const scripts = new Map(
    resolveAll(fromFlameGraph).map(([name, file]) => [`${name}.js`, browserFile(name, file)]),
  );
  scripts.set('d3-flame-graph.js', flameGraph.replace(/\.umd(\.min)?\.js$/, '.umd.min.js'));
  return {
    scripts,
    speedscopeDirectory: join(dirname(require.resolve('speedscope/package.json')), 'dist', 'release'),
    pageDirectory: findPage(dirname(fileURLToPath(import.meta.url))),
  };
}

/** Every d3 module brings `dist/<name>.min.js` for browsers; its entry for Node has had several names. */
function browserFile(name: string, entry: string): string {
  const inside = `${sep}${name}${sep}`;
  return join(entry.slice(0, entry.lastIndexOf(inside) + inside.length), 'dist', `${name}.min.js`);
}

/** A module that only a dependency needs may be installed below that dependency. */
function resolveAll(require: NodeJS.Require): [string, string][] {
  const places = [require];
  const found: [string, string][] = [];
  for (const name of ['d3-scale', 'd3-transition']) places.push(createRequire(require.resolve(name)));
  places.push(createRequire((places[1] as NodeJS.Require).resolve('d3-time-format')));
  for (const name of d3Modules) {
    for (const place of places) {
      try {
        found.push([name, place.resolve(name)]);
        break;
      } catch {
        // Not visible from here: the next place is asked.
      }
    }
  }
  return found;
}

/** Beside the source; a build has no copy of it, the package brings its `src` along. */
function findPage(here: string): string {
  const beside = join(here, 'page');
  return existsSync(beside)
    ? beside
    : join(here, '..', '..', '..', '..', 'src', 'diagnostics', 'viewer', 'page');
}
