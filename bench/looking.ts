import { observe } from "../cli/drift.ts";
import { Look } from "../hosts/look/look.ts";
import type { StepQuestion } from "../hosts/look/question.ts";
import { type SshTarget, ssh } from "../hosts/ssh/ssh.ts";
import type { Lab } from "../lab/lab.ts";
import { resourceName, type StateResource } from "./state.ts";

type Target = SshTarget & { name: string };

/** The hosts as the stack reaches them. */
export const targets = (lab: Lab, names: string[]): Target[] =>
  names.map((name) => {
    const { address, hostKey } = lab.hosts[name] ?? { address: "", hostKey: "" };
    return { name, address, hostKey, port: 22, user: lab.user };
  });

/** Makes the questions that the program asks: every step of the hosts, with its document unless that is secret. */
export const questions = (hosts: Target[], resources: StateResource[]): StepQuestion[] =>
  hosts.flatMap((host) =>
    resources
      .filter((resource) => resource.type === "command:remote:Command")
      .filter((resource) => resourceName(resource).startsWith(`${host.name}-`))
      .map((resource) => {
        const stdin = resource.inputs?.stdin;
        const step = resourceName(resource).slice(host.name.length + 1);
        return { host, step, document: typeof stdin === "string" ? stdin : undefined };
      }),
  );

/** Looks at every host once, as an `up` does. */
export const lookAt = async (asked: StepQuestion[]): Promise<void> => {
  const look = new Look();
  const answers = asked.map((question) => look.registerStep(question));
  await Promise.all([look.close(), ...answers]);
};

/** Has every host say its drift, as `npm run drift` does. */
export const drift = async (hosts: Target[]): Promise<void> => {
  const seen = await Promise.all(hosts.map((host) => observe(host)));
  const failed = seen.find(({ unseen }) => unseen);
  if (failed) throw new Error(`bench: ${failed.name} was not seen: ${failed.unseen}`);
};

/** Logs in to every host and runs `true`: the least that any look over ssh could take. */
export const bareExec = async (hosts: Target[]): Promise<void> => {
  const results = await Promise.all(hosts.map((host) => ssh(host, "true", "")));
  const failed = results.find(({ exitCode }) => exitCode);
  if (failed) throw new Error(`bench: ssh failed: ${failed.stderr}`);
};
