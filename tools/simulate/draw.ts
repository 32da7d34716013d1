/** Gives a whole number from 0 to `below` − 1. */
export type Draw = (below: number) => number;

/** A small generator (mulberry32): a simulation replays from its seed. */
export function drawFrom(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Who is next: often the one that came last, so that one function makes many calls while another makes none. */
export function inBursts(draw: Draw, burstPercent = 0): Draw {
  return (below) => (burstPercent > 0 && draw(100) < burstPercent ? below - 1 : draw(below));
}
