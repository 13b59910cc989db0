import { createRequire } from 'node:module';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../../core/base/errors.ts';

/**
 * Loads an optional package: from the application's directory first, since that is where its user installs it.
 * @throws HeddleError ERR_PEER_MISSING that says whether it is not installed or cannot run here, and why.
 */
export function loadPeer<Module>(name: string, install: string): Module {
  const places = [join(process.cwd(), 'package.json'), import.meta.url];
  let reason: unknown;
  for (const place of places) {
    try {
      return createRequire(place)(name) as Module;
    } catch (thrown) {
      if (isMissing(thrown, name)) continue;
      reason = thrown;
      break;
    }
  }
  const detail =
    reason === undefined ? `"${name}" is not installed (${install})` : `"${name}": ${explain(reason)}`;
  throw new HeddleError('ERR_PEER_MISSING', detail, { cause: reason });
}

/** Not there at all; a file of its own that is missing is another matter. */
function isMissing(thrown: unknown, name: string): boolean {
  const { code, message = '' } = thrown as { code?: string; message?: string };
  return code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`);
}

function explain(thrown: unknown): string {
  const message = messageOf(thrown).split('\n')[0] ?? '';
  const versions = /NODE_MODULE_VERSION (\d+)[\s\S]*NODE_MODULE_VERSION (\d+)/.exec(messageOf(thrown));
  if (versions !== null) {
    return `it was built for another Node.js (module version ${versions[1]}, this one has ${versions[2]}); rebuild it with this Node.js`;
  }
  if (/did not self-register/.test(message))
    return 'it is loaded in another thread already and works in one only';
  if (/bindings file|\.node'?$/.test(message))
    return 'its native part was never built (npm rebuild, with build scripts allowed)';
  return message;
}
