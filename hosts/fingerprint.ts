import { printable } from "./printable.ts";

/**
 * The last word that a secret's step printed, on which the restart hangs.
 *
 * @throws Error when it is no fingerprint: what a host says is not to be trusted, and the text would stand in the state.
 */
export const fingerprint = (host: string, concern: string, stdout: string): string => {
  const said = stdout.trim().split(/\s/).at(-1) ?? "";
  if (/^[0-9a-f]{16}$/.test(said)) return said;
  throw new Error(
    `${host}: ${concern} ended without the fingerprint of its secret (${printable(said.slice(-80)) || "it said nothing"}). Look at the host: sudo jtel-chatctl log; then repeat`,
  );
};
