type Approve = () => Promise<boolean>;

interface Asked {
  readonly approve: Approve;
  thrown: { readonly error: unknown } | null;
}

/** The `approve` functions of reloads that are under way: they stay with the program, and the worker asks for them by number. */
export class Approvals {
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  /**
   * Runs a reload that may ask. @param run gets the number, 0: nobody asks
   * @throws what `run` throws, or `approve` threw
   */
  async during<Result>(approve: Approve | undefined, run: (id: number) => Promise<Result>): Promise<Result> {
    if (approve === undefined) return await run(0);
    const id = ++this.#lastId;
    const asked: Asked = { approve, thrown: null };
    this.#asked.set(id, asked);
    try {
      const result = await run(id);
      if (asked.thrown !== null) throw asked.thrown.error;
      return result;
    } finally {
      this.#asked.delete(id);
    }
  }

  /** The worker is ready for the reload of this number: what does the program say? */
  async ask(id: number): Promise<boolean> {
    const asked = this.#asked.get(id);
    if (asked === undefined) return false;
    try {
      return await asked.approve();
    } catch (error) {
      asked.thrown = { error };
      return false;
    }
  }
}
