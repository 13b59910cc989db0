import type { Finding } from './evaluate.ts';

/** A rise that survived the collection that it was suspected at, so far. */
interface Confirming {
  readonly since: Finding;
  readonly startValue: number;
  firstValue: number | undefined;
  firstAtMs: number;
  asked: boolean;
}

/** What the engine remembers of a rule between two samples. */
export interface State {
  fired: number;
  cooledAtMs: number;
  /** False from a capture until the condition was gone: hysteresis. */
  armed: boolean;
  captures: { atMs: number; value: number }[];
  confirming: Confirming | undefined;
  /** A refuted suspicion rests for longer each time, or until the value is well above the refuted one. */
  restUntilMs: number;
  restMs: number;
  refutedValue: number;
  /** The value of the suspicion or capture that may yet be refuted. */
  suspectedValue: number;
  heldReason: string;
}

export const freshState = (): State => ({
  fired: 0,
  cooledAtMs: 0,
  armed: true,
  captures: [],
  confirming: undefined,
  restUntilMs: 0,
  restMs: 0,
  refutedValue: 0,
  suspectedValue: 0,
  heldReason: '',
});
