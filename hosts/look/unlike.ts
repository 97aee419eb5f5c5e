import type { SeenHost } from "./look-at-host.ts";

/** What should be alike on all hosts and is not, a line each. No host knows the others, so it is compared here. */
export const unlike = (seen: SeenHost[]): string[] => {
  const values = seen.flatMap(({ name, answers }) =>
    Object.values(answers).flatMap(({ alike }) =>
      Object.entries(alike).map(([item, value]) => ({ name, item, value })),
    ),
  );
  return [...Map.groupBy(values, ({ item }) => item)]
    .filter(([, found]) => new Set(found.map(({ value }) => value)).size > 1)
    .map(
      ([item, found]) =>
        `not the same everywhere, ${item}: ${found.map(({ name, value }) => `${name} ${value}`).join(", ")}`,
    );
};
