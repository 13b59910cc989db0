/** What stands in place of a secret; no secret may read so: a redacted dump that runs would have a known token. */
export const hidden = '[redacted]';

/**
 * A token, key or password. It reads "[redacted]" wherever it is printed, logged, inspected or put into JSON;
 * `reveal()` is the only way to the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  /** `util.inspect` and `console.log`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Secret { ${hidden} }`;
  }
}
