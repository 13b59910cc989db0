import { once } from '../base/once.ts';

const definitionKey = Symbol('definition');

/**
 * Stands for an extension whose code is loaded when anything but its name is asked for, which is when a configuration
 * names it. A codec costs 1 to 5 ms of CPU and up to 2 MiB to load.
 */
export function lateExtension<Definition extends { readonly name: string }>(
  name: string,
  load: () => Definition,
): Definition {
  const definition = once(load);
  const standIn = {
    get: (_: object, key: PropertyKey): unknown => {
      if (key === 'name') return name;
      return key === definitionKey ? definition() : Reflect.get(definition(), key);
    },
    has: (_: object, key: PropertyKey): boolean => key in definition(),
    ownKeys: (): (string | symbol)[] => Reflect.ownKeys(definition()),
    getOwnPropertyDescriptor: (_: object, key: PropertyKey): PropertyDescriptor | undefined => {
      const found = Reflect.getOwnPropertyDescriptor(definition(), key);
      return found === undefined ? undefined : { ...found, configurable: true };
    },
  };
  return new Proxy({}, standIn) as Definition;
}

/** The extension itself, for what is called for each request. */
export function loadedExtension<Definition extends object>(given: Definition): Definition {
  return (given as { readonly [definitionKey]?: Definition })[definitionKey] ?? given;
}
