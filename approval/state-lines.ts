import { sha256 } from "./program-files.ts";

/** A resource of `pulumi stack export`, as far as an approval depends on it. */
interface Resource {
  urn: string;
  type: string;
  /** Whether something is kept for it beside its name: a component has nothing. */
  custom?: boolean;
  inputs?: unknown;
  outputs?: unknown;
}

interface Export {
  deployment?: { resources?: Resource[] };
}

/** Marks a value of the state that Pulumi encrypted; each save encrypts it anew. */
const secretMark = "4dabf18193072939515e22adb298388d";

/**
 * The stack's resources by content, a line each: `state lb1-haproxy 41e7…`. Empty before the first `up`.
 *
 * Components are not among them: an `up` has noted new ones already when it looks.
 */
export const stateLines = (text: string): string[] => {
  const { deployment = {} }: Export = JSON.parse(text);
  return (deployment.resources ?? [])
    .filter(({ type, custom = true }) => custom && !/^pulumi:(?:pulumi:Stack|providers:.*)$/.test(type)) // providers of look-ups come and go
    .map(({ urn, inputs, outputs }) => `state ${urn.split("::").at(-1)} ${sha256(stable([urn, inputs, outputs]))}`)
    .sort();
};

/** JSON with sorted keys, without ciphertexts. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    if (secretMark in each) return "[secret]";
    return Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)));
  });

/** The state as it is now, read beside the engine: an `up` holds the backend's lock, which an export does not need. */
export const exportedState = async (stack: string): Promise<string> => {
  const { execa } = await import("execa"); // which no other run pays for
  return (await execa("pulumi", ["stack", "export", "--stack", stack, "--non-interactive"])).stdout;
};
