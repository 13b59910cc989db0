/** What of a monitor would spoil a profile that Node itself takes of the whole run. */
export interface NodeProfilers {
  /** `--cpu-prof`: the flight recorder's windows confuse it, and it says so on stderr at exit. */
  readonly cpu: boolean;
  /** `--heap-prof`: V8 has one heap sampler, and whoever stops it ends it for all. */
  readonly heap: boolean;
}

/** @param flags of this process, from its command line and NODE_OPTIONS. */
export function nodeProfilers(
  flags: string = `${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`,
): NodeProfilers {
  const has = (name: string): boolean => new RegExp(`(^|\\s)--${name}(\\s|=|$)`).test(flags);
  return { cpu: has('cpu-prof'), heap: has('heap-prof') };
}
