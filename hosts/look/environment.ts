import { isDryRun } from "../../config/pulumi.ts";

/** Whether looking is switched off, for a machine without a route to the hosts. */
export const neverLooks = (): boolean => process.env.JTEL_CHAT_OBSERVE === "never";

/** Whether this run may go on without having seen a host. An `up` that looks does not: there it is an error. */
export const mayBeUnseen = (): boolean => isDryRun() || neverLooks();

/** A preview may look with an account that sudoers limits to `jtel-chatctl observe`; an `up` looks with the one that it writes with. */
export const observer = (): string | undefined => (isDryRun() && process.env.JTEL_CHAT_OBSERVE_USER) || undefined;

/** The digest of what was approved, where this run may do nothing else (`npm run apply`). */
export const approvedDigest = (): string | undefined => process.env.JTEL_CHAT_APPROVED || undefined;
