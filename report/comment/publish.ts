import { setTimeout as pause } from "node:timers/promises";
import { isNewer, type Marker, markerOf } from "./marker.ts";
import { type Comments, ServiceError } from "./service.ts";

/** What came of it. `superseded`: a later run has written already, and its comment stays. */
export interface Published {
  outcome: "created" | "updated" | "superseded" | "nothing to say";
  url: string | undefined;
}

/** How often the service is asked, and the longest pause that it may ask for, in seconds. */
const patience = { attempts: 4, pause: 90 };

/**
 * Writes the comment: over the one of an earlier run, found by its marker, or as a new one where there is `news`. Of several, which two runs at the same
 * time may leave, the oldest is taken and the others are removed.
 *
 * After an error that may pass, all of it is done again, since a comment may have been written before the error came.
 */
export const publish = async (comments: Comments, body: string, news: boolean): Promise<Published> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await written(comments, body, news);
    } catch (error) {
      const wait = secondsToWait(error, attempt);
      if (wait === undefined) throw error;
      await pause(wait * 1000);
    }
  }
};

const written = async (comments: Comments, body: string, news: boolean): Promise<Published> => {
  const mine = markerOf(body) as Marker;
  const found = (await comments.own()).flatMap((posted) => {
    const marker = markerOf(posted.body);
    return marker?.project === mine.project ? [{ ...posted, marker }] : [];
  });
  const newer = found.find(({ marker }) => isNewer(marker, mine));
  if (newer) return { outcome: "superseded", url: newer.url };
  const [first, ...others] = found;
  if (!first && !news) return { outcome: "nothing to say", url: undefined };
  const { url } = first ? await comments.update(first.id, body) : await comments.create(body);
  for (const { id } of others) await comments.remove(id);
  return { outcome: first ? "updated" : "created", url };
};

/** Seconds until the next attempt; undefined where there is none. */
const secondsToWait = (error: unknown, attempt: number): number | undefined => {
  if (!(error instanceof ServiceError) || attempt >= patience.attempts) return undefined;
  const { status, retryAfter } = error;
  if (retryAfter !== undefined) return retryAfter <= patience.pause ? retryAfter : undefined;
  return status === 0 || status === 429 || status >= 500 ? 2 ** (attempt - 1) : undefined;
};
