import { callbackPaths } from "../../render/callback-paths.ts";

/** The two URLs of chat in an account's callback (API v3); `portal` is the portal's public https URL. */
export const chatCallback = (portal: string) => ({
  inboundMessageUrl: new URL(callbackPaths.messages, portal).href,
  messageStatusUrl: new URL(callbackPaths.status, portal).href,
});
