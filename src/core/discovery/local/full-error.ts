import { HeddleError } from '../../base/errors.ts';

/** @param what is limited, plural */
export function fullError(what: string, limit: number): HeddleError {
  return new HeddleError('ERR_REGISTRY_FULL', `it holds ${limit} ${what}`);
}
