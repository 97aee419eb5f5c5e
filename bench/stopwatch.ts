/** How many seconds something took, of several times. */
export interface Times {
  median: number;
  fastest: number;
  slowest: number;
}

/**
 * Times things that are to be compared. They run in turns, and their order changes in every round, so that a busy moment of the
 * machine falls on all. The first round does not count: it fills caches.
 */
export const compared = async <const Works extends readonly (() => Promise<void>)[]>(
  works: Works,
  rounds: number,
): Promise<{ [Index in keyof Works]: Times }> => {
  const numbered = works.map((work) => ({ work, seconds: [] as number[] }));
  for (const { work } of numbered) await work();
  for (let round = 0; round < rounds; round++) {
    const start = round % works.length;
    for (const { work, seconds } of [...numbered.slice(start), ...numbered.slice(0, start)]) {
      const begin = performance.now();
      await work();
      seconds.push((performance.now() - begin) / 1000);
    }
  }
  return numbered.map(({ seconds }) => times(seconds)) as { [Index in keyof Works]: Times };
};

const times = (seconds: number[]): Times => {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (position: number): number => sorted[position] as number;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    fastest: at(0),
    slowest: at(sorted.length - 1),
  };
};
