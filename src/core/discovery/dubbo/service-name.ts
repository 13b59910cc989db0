import { HeddleError } from '../../base/errors.ts';

/** A service of a framework as a subscriber names it. */
export interface ServiceName {
  /** "" = none; "*" = any. SOFARPC: the unique id. */
  readonly group: string;
  readonly interfaceName: string;
  /** "" = none; "*" = any. */
  readonly version: string;
  /** Only providers of this protocol; "" = any. */
  readonly protocol: string;
  /** The instances of an application, whatever they provide: `interfaceName` is then its name. */
  readonly isApplication: boolean;
}

const applicationPrefix = 'application:';
const maxLength = 1024;

/**
 * Reads `[group/]interface[:version][?protocol=NAME]`, or `application:NAME`.
 * @throws HeddleError ERR_OPTION_INVALID
 */
export function parseServiceName(text: string): ServiceName {
  if (text.startsWith(applicationPrefix)) {
    const name = text.slice(applicationPrefix.length);
    checkPart(text, name, 'an application name');
    return { group: '', interfaceName: name, version: '', protocol: '', isApplication: true };
  }
  const query = text.indexOf('?');
  const name = query < 0 ? text : text.slice(0, query);
  const slash = name.indexOf('/');
  const colon = name.lastIndexOf(':');
  const interfaceName = name.slice(slash + 1, colon > slash ? colon : undefined);
  checkPart(text, interfaceName, 'an interface name');
  return {
    group: slash < 0 ? '' : name.slice(0, slash),
    interfaceName,
    version: colon > slash ? name.slice(colon + 1) : '',
    protocol: query < 0 ? '' : protocolOf(text, text.slice(query + 1)),
    isApplication: false,
  };
}

/** Whether a provider's group, version and protocol are what was asked for (Dubbo's UrlUtils.isMatch). */
export function isAskedFor(
  asked: ServiceName,
  provider: { readonly group: string; readonly version: string; readonly protocol: string },
): boolean {
  return (
    (asked.group === '*' || listOf(asked.group).includes(provider.group)) &&
    (asked.version === '*' || asked.version === provider.version) &&
    (asked.protocol === '' || asked.protocol === provider.protocol)
  );
}

/** A consumer may name several groups: "a,b". */
function listOf(group: string): readonly string[] {
  return group.includes(',') ? group.split(',').map((each) => each.trim()) : [group];
}

function protocolOf(text: string, query: string): string {
  const match = /^protocol=([\w.+-]+)$/.exec(query);
  if (match === null) throw invalid(text, '"?protocol=NAME" is all that may follow "?"');
  return match[1] as string;
}

/** Names become paths and keys of registries. */
function checkPart(text: string, part: string, what: string): void {
  if (part === '' || part.length > maxLength || /[\s/?#\0]/.test(part)) {
    throw invalid(text, `it needs ${what} without spaces, "/", "?" and "#"`);
  }
}

function invalid(text: string, why: string): HeddleError {
  return new HeddleError(
    'ERR_OPTION_INVALID',
    `service ${JSON.stringify(text)} is not "[group/]interface[:version][?protocol=NAME]" or "application:NAME": ${why}`,
  );
}
