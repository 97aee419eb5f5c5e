const units = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A time of the stack file in seconds: `10m` gives 600, `500ms` 0.5. */
export const seconds = (time: string): number => {
  const [, count, unit] = /^([0-9]+)(ms|s|m|h|d)$/.exec(time) ?? [];
  if (!count) throw new Error(`Expected a time such as 30s, got ${time}`);
  return Number(count) * units[unit as keyof typeof units];
};
