/**
 * `npm run forget -- HOST [--stack STACK] [--yes]` removes a host that is gone for good from the stack's state.
 *
 * It undoes nothing on the host, while `pulumi destroy` would try to reach it. Without `--yes` it changes nothing and only
 * prints which steps it would remove.
 */
import { execa } from "execa";
import { concernOf } from "../report/step-name.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

interface Resource {
  urn: string;
  type: string;
  inputs?: Record<string, unknown>;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
}

interface Export {
  deployment: { resources?: Resource[] };
}

const usage = `npm run forget -- HOST [--stack STACK] [--yes]

Takes a host that is gone for good out of the stack's state.  Nothing is undone on it.`;

/**
 * Removes a host's steps, and dependencies on them, from an exported state.
 *
 * @returns The new state, and the names of the removed steps, e.g. `chatserver1-java`.
 * @throws Error when the state has no step of this host; it names the hosts that have steps.
 */
export const forgotten = (state: Export, host: string): { state: Export; steps: string[] } => {
  const resources = state.deployment.resources ?? [];
  const gone = new Set(resources.filter((resource) => hostOf(resource) === host).map(({ urn }) => urn));
  if (!gone.size)
    throw new Error(
      `forget: the stack has no steps on "${host}". Its hosts: ${hostsOf(resources).join(", ") || "none"}`,
    );
  const left = (urns: string[] = []) => urns.filter((urn) => !gone.has(urn));
  const kept = resources
    .filter(({ urn }) => !gone.has(urn))
    .map((resource) => ({
      ...resource,
      ...(resource.dependencies && { dependencies: left(resource.dependencies) }),
      ...(resource.propertyDependencies && {
        propertyDependencies: Object.fromEntries(
          Object.entries(resource.propertyDependencies).map(([key, urns]) => [key, left(urns)]),
        ),
      }),
    }));
  const steps = [...gone].map(nameOf);
  return { state: { ...state, deployment: { ...state.deployment, resources: kept } }, steps };
};

/** The host of a step; undefined for another resource. */
const hostOf = ({ urn, type, inputs }: Resource): string | undefined => {
  const name = nameOf(urn);
  const concern = type === "command:remote:Command" && concernOf(name, inputs);
  return concern ? name.slice(0, -concern.length - 1) : undefined;
};

const hostsOf = (resources: Resource[]): string[] => [...new Set(resources.flatMap((each) => hostOf(each) ?? []))];

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

const main = async (): Promise<void> => {
  const { values, positionals } = commandLine(usage, {
    options: { yes: { type: "boolean", default: false }, stack: { type: "string" } },
    allowPositionals: true,
  });
  const [host] = positionals;
  if (!host) throw new Error(usage);
  const stack = values.stack ? ["--stack", values.stack] : [];
  const { stdout } = await execa("pulumi", ["stack", "export", ...stack]);
  const { state, steps } = forgotten(JSON.parse(stdout), host);
  console.log(`Forgotten with ${host}: ${steps.join(", ")}.
Nothing is undone there. If the host lives on, its files, rules and service stay, and it still belongs to this
stack, until sudo jtel-chatctl adopt PROJECT/STACK there gives it to another one. Take it out of the stack file, too, or the
next up configures it again.`);
  if (!values.yes) return console.log("Nothing was changed yet: repeat with --yes.");
  await execa("pulumi", ["stack", "import", ...stack], { input: JSON.stringify(state) });
  console.log("Done.");
};

if (import.meta.main) main().catch(failWith);
