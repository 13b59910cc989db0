import { HeddleError } from '../../core/base/errors.ts';
import { version } from '../../version.ts';
import { beginTrace } from './trace.ts';

/** Known to every copy of the package in this process. */
const key = Symbol.for('heddle.process');

/** The copy of the package that made the first mesh. */
interface ProcessRecord {
  readonly version: string;
  /** Where it was loaded from. */
  readonly place: string;
}

/**
 * Called before each mesh. Two copies of the package share neither meshes nor pools, and both would hook `fetch` and
 * `node:http`: mostly an accident of installing, so the second one is refused. `HEDDLE_COPIES=allow` lets it be.
 * The first mesh begins the trace that `HEDDLE_TRACE` asks for.
 *
 * @throws HeddleError ERR_COPY_LOADED
 */
export function enterProcess(
  environment: Readonly<Record<string, string | undefined>>,
  place: string = import.meta.url.replace(/[?#].*$/, ''),
): void {
  const holder = globalThis as { [key]?: ProcessRecord };
  const first = holder[key];
  if (first === undefined) {
    Object.defineProperty(holder, key, { value: { version, place } satisfies ProcessRecord });
    beginTrace(environment['HEDDLE_TRACE'] ?? '', (text) => process.stderr.write(text));
    return;
  }
  if (first.place === place || environment['HEDDLE_COPIES'] === 'allow') return;
  throw new HeddleError(
    'ERR_COPY_LOADED',
    `${first.version} from ${first.place}, and ${version} from ${place}`,
  );
}
