/** What is used of layered-graph. */
import type { PullSource } from './types.ts';

/** Weight by target, by source. */
export type Graph = Record<string, Record<string, number>>;

/** Hops by feed; negative: blocked, or not reached any more. */
export type Hops = Record<string, number>;

export interface LayeredGraph {
  /** @returns sets one edge, or all of them */
  createLayer(name: string): {
    (edges: Graph): void;
    (from: string, to: string, weight: number): void;
  };
  onReady(listener: () => void): void;
  onEdge(listener: (from: string, to: string, weight: number) => void): () => void;
  getHops(options: object): Hops;
  hopStream(options: { live: boolean; old: boolean }): PullSource<Hops>;
  getGraph(): Graph;
}
