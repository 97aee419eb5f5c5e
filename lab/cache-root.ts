import { homedir } from "node:os";
import { join } from "node:path";

/** Where everything expensive is kept, outside the checkout: `$JTEL_CHAT_CACHE`, else `jtel-chat` in the user's cache. */
export const cacheRoot =
  process.env.JTEL_CHAT_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "jtel-chat");
