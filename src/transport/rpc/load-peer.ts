import { createRequire } from 'node:module';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../../core/base/errors.ts';

/**
 * Loads an optional package: from the application's directory first, since that is where its user installs it.
 *
 * @param feature what needs it, for the message
 * @throws HeddleError ERR_PEER_MISSING that names the package
 */
export function loadPeer(name: string, feature: string): unknown {
  let reason: unknown;
  for (const place of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(place)(name);
    } catch (thrown) {
      const { code, message = '' } = thrown as { code?: string; message?: string };
      if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) continue;
      reason = thrown;
      break;
    }
  }
  const detail =
    reason === undefined
      ? `"${name}" is not installed, ${feature} needs it (npm install ${name})`
      : `"${name}", which ${feature} needs: ${messageOf(reason)}`;
  throw new HeddleError('ERR_PEER_MISSING', detail, { cause: reason });
}
