import type { Stream } from '../contract/stream.ts';

/**
 * The configuration that holds for a stream: the route's where it has one, else the filter's own; null where the route
 * switches the filter off. What a filter makes of a configuration is made once per configuration object.
 * Only for filters at stage `afterRoute` or later, and for their response hooks.
 */
export class RouteConfigs<Config extends object, Compiled> {
  readonly #slot: number;
  readonly #own: Compiled;
  readonly #compile: (config: Config) => Compiled;
  readonly #compiled = new WeakMap<object, Compiled>();

  constructor(slot: number, own: Config, compile: (config: Config) => Compiled) {
    this.#slot = slot;
    this.#own = compile(own);
    this.#compile = compile;
  }

  of(s: Stream): Compiled | null {
    const configs = s.route?.filterConfigs;
    // Most routes have none: a read beyond the end of an array would cost 20 ns.
    if (configs === undefined || configs.length <= this.#slot) return this.#own;
    const given = configs[this.#slot];
    if (given === undefined) return this.#own;
    if (given === false || given === null) return null;
    const known = this.#compiled.get(given as object);
    if (known !== undefined) return known;
    const compiled = this.#compile(given as Config);
    this.#compiled.set(given as object, compiled);
    return compiled;
  }
}
