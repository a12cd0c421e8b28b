/** Rounds of measurements in which contenders take turns, so that what disturbs the machine disturbs all of them. */
import type { Bench, Contender, Figure, Measurement } from './measurement.ts';

export interface RoundsOptions {
  readonly rounds: number;
  readonly withPeers: boolean;
  readonly onTurn: (text: string) => void;
}

/** What a contender failed at. */
interface Failure {
  readonly measurement: string;
  readonly contender: string;
  readonly error: Error;
}

export interface Outcome {
  /** In the order in which they were measured, those of all rounds. */
  readonly figures: readonly Figure[];
  readonly failures: readonly Failure[];
  readonly notes: readonly string[];
  /** Contenders that did not take part, and why. */
  readonly missing: readonly string[];
}

export async function runRounds(
  bench: Bench,
  measurements: readonly Measurement[],
  { rounds, withPeers, onTurn }: RoundsOptions,
): Promise<Outcome> {
  const missing = new Set<string>();
  const notes = new Set<string>();
  const entries = measurements.map(({ name, contenders }) => {
    const all = contenders(bench).filter((contender) => withPeers || !contender.isPeer);
    const present = all.filter((contender) => {
      const reason = contender.missing?.();
      if (reason !== undefined) missing.add(`without ${contender.name}: ${reason}`);
      else if (contender.note !== undefined) notes.add(contender.note);
      return reason === undefined;
    });
    return { name, present };
  });
  const figures: Figure[] = [];
  const failures: Failure[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, present } of entries) {
      for (const contender of inTurn(present, round)) {
        const started = performance.now();
        try {
          figures.push(...(await contender.measure(bench)));
        } catch (error) {
          failures.push({ measurement: name, contender: contender.name, error: error as Error });
        }
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        onTurn(`round ${round} of ${rounds}: ${name}, ${contender.name}, ${seconds} s`);
      }
    }
  }
  return { figures, failures, notes: [...notes], missing: [...missing] };
}

/** Every other round begins with the last one. */
function inTurn(contenders: readonly Contender[], round: number): Contender[] {
  const all = contenders.filter(({ isOnce }) => round === 1 || !isOnce);
  return round % 2 === 1 ? all : all.reverse();
}
