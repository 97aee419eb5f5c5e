/** Where an account sends its events. */
export interface Destinations {
  /** Event → URL. */
  urls: ReadonlyMap<string, string>;
  /** Where every event goes that `urls` does not name: the account's default webhook. */
  fallback?: string | undefined;
}

/** An event that does not go where it should; `undefined` is nowhere. */
export interface Difference {
  event: string;
  now: string | undefined;
  wanted: string | undefined;
  /** Whether it goes there only because no webhook names it. */
  byDefault?: boolean;
}

/** Event → URL; `undefined` is nowhere. */
export type Targets = ReadonlyMap<string, string | undefined>;

/** Where `event` goes; undefined is nowhere. */
export const destination = ({ urls, fallback }: Destinations, event: string): string | undefined =>
  urls.get(event) ?? fallback;

/** The events of `targets` that do not go there yet. */
export const unsettled = (present: Destinations, targets: Targets): Difference[] =>
  [...targets]
    .map(([event, wanted]) => ({
      event,
      now: destination(present, event),
      wanted,
      byDefault: !present.urls.has(event) && present.fallback !== undefined,
    }))
    .filter(({ now, wanted }) => now !== wanted);
