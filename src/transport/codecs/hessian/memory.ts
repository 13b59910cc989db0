import type { HessianLimits } from './limits.ts';
import { HessianProblem } from './problems.ts';

/** What later values of a message may refer to: as numbers, nothing of it is kept. All methods return 0 or a HessianProblem. */
export class MessageMemory {
  /** Lists, maps and objects so far. */
  references = 0;
  readonly #limits: HessianLimits;
  #types = 0;
  /** Fields of each class. */
  #classes: number[] = [];

  constructor(limits: HessianLimits) {
    this.#limits = limits;
  }

  reset(): void {
    this.#types = this.references = 0;
    if (this.#classes.length > 0) this.#classes = [];
  }

  addType(): number {
    return ++this.#types > this.#limits.maxClasses ? HessianProblem.tooMany : 0;
  }

  checkType(index: number): number {
    return index < 0 || index >= this.#types ? HessianProblem.badReference : 0;
  }

  addReference(): number {
    return ++this.references > this.#limits.maxReferences ? HessianProblem.tooMany : 0;
  }

  checkReference(index: number): number {
    return index < 0 || index >= this.references ? HessianProblem.badReference : 0;
  }

  /** Before the fields of a class are read. */
  checkClass(fields: number): number {
    const isFull = fields > this.#limits.maxFields || this.#classes.length >= this.#limits.maxClasses;
    return isFull ? HessianProblem.tooMany : 0;
  }

  addClass(fields: number): void {
    this.#classes.push(fields);
  }

  /** Fields of a class, or a HessianProblem. */
  fieldsOf(index: number): number {
    return this.#classes[index] ?? HessianProblem.badReference;
  }
}
