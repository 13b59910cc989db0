/** Ms to wait after the first, second, ... failed connect in a row. */
const delaysMs = [50, 250, 1000, 2000, 5000, 10_000];
const golden = 0.618_033_988_749_895;

/**
 * When a host that refuses connections may be dialled again. Meanwhile its streams fail at once, and may go elsewhere:
 * thousands of calls a second must not become thousands of connects.
 */
export class Redial {
  #failures = 0;
  #notBeforeMs = 0;

  mayDial(nowMs: number): boolean {
    return nowMs >= this.#notBeforeMs;
  }

  failed(nowMs: number): void {
    const delayMs = delaysMs[Math.min(this.#failures, delaysMs.length - 1)] as number;
    this.#failures++;
    // Half to all of it, so that many proxies do not come back together.
    const share = (nowMs * golden) % 1;
    this.#notBeforeMs = nowMs + delayMs * (0.5 + share / 2);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
  }
}
