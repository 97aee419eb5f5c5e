import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { documentDigest } from "../render/document.ts";
import { toolDocument } from "../render/tool.ts";
import { fingerprint } from "./fingerprint.ts";
import { applyCommand, installCommand, type Launch, undoCommand, uninstallCommand } from "./launcher.ts";
import type { StepAnswer } from "./look/answer.ts";
import { mayBeUnseen } from "./look/environment.ts";
import { type Look, unseen } from "./look/look.ts";
import type { ObservedHost } from "./look/question.ts";
import { stackOwner } from "./owner.ts";
import { tell, tellRestart } from "./tell.ts";

/** What makes a {@link Host}. */
export interface HostArgs extends ObservedHost {
  /** Where its steps are registered. */
  look: Look;
  /** Interface that chat's rules are limited to, where the stack names one. */
  interface?: string | undefined;
}

/** One idempotent unit of work on one host. */
export interface Step {
  host: Host;
  /** Its name on the host: `java`, `haproxy`. */
  concern: string;
  /** The resource that others depend on. */
  command: remote.Command;
  /** Changes with what the step makes true: its document's digest, of a secret the fingerprint that its host made. */
  digest: pulumi.Output<string>;
  /** Whether its host carries traffic that a change could cut; undefined where the host was not seen. */
  active: () => Promise<boolean | undefined>;
}

/** Options of one step. */
export interface StepOptions {
  parent: pulumi.Resource;
  /**
   * Steps of other hosts that have to be done first; the host's own earlier steps always are. A promise may wait for what the
   * hosts say.
   */
  after?: Step[] | Promise<Step[]>;
}

/** A machine reached over ssh. Its steps run one after the other: sshd's MaxStartups, apt and ufw want it so. */
export class Host {
  readonly name: string;
  readonly address: string;
  /** Interface that chat's firewall rules are limited to. */
  readonly interface: string | undefined;
  private readonly target: HostArgs;
  private readonly steps: Step[] = [];
  /** Steps whose result is known once they were applied: documents of later steps are made from it. */
  private readonly secretSteps: string[] = [];

  constructor(args: HostArgs) {
    this.name = args.name;
    this.address = args.address;
    this.interface = args.interface;
    this.target = args;
  }

  /**
   * Have a document applied on this host.
   *
   * @param concern Names the step on the host, and as `<host>-<concern>` the resource.
   * @param text The document. One that is an Output – a secret, or made from another step's answer – is not looked at beforehand.
   */
  step(concern: string, text: pulumi.Input<string>, options: StepOptions): Step {
    return this.addStep(concern, text, false, options);
  }

  /**
   * As {@link step}, for a document with a secret. The host answers with a fingerprint of it under a key of its own, which is
   * public: so a rotation shows as a changed digest, its value never.
   */
  secretStep(concern: string, text: pulumi.Input<string>, options: StepOptions): Step {
    const step = this.addStep(concern, pulumi.secret(text), true, options);
    this.secretSteps.push(`${this.name}-${concern}`);
    return {
      ...step,
      digest: pulumi.unsecret(step.command.stdout).apply((stdout) => fingerprint(this.name, concern, stdout)),
    };
  }

  private addStep(
    concern: string,
    text: pulumi.Input<string>,
    secret: boolean,
    { parent, after = [] }: StepOptions,
  ): Step {
    if (!this.steps.length) this.installTool();
    const own = [...this.steps];
    const commands = (others: Step[]) => [...own, ...others].map(({ command }) => command);
    // A promise only where one is waited for: the engine's library resolves each one on its own.
    const dependsOn = after instanceof Promise ? after.then(commands) : commands(after);
    const launchers = { apply: (launch: Launch) => applyCommand(concern, launch), undo: undoCommand(concern) };
    return this.register(concern, text, { ...launchers, secret }, { parent, dependsOn });
  }

  /** Every host gets the tool before its first step; it hangs below the stack, since all components share it. */
  private installTool(): void {
    const launchers = { apply: installCommand, undo: uninstallCommand() };
    const { kept, text } = stackOwner();
    this.register("tool", text.then(toolDocument), { ...launchers, secret: false }, { dependsOn: kept });
  }

  private register(
    concern: string,
    text: pulumi.Input<string>,
    { apply, undo, secret }: { apply: (launch: Launch) => string; undo: string; secret: boolean },
    options: pulumi.CustomResourceOptions,
  ): Step {
    const known = pulumi.Output.isInstance(text) ? undefined : text;
    const madeFrom = secret ? "the stack's secrets" : this.secretSteps.join(", ");
    const answer = this.target.look.registerStep({
      host: this.target,
      step: concern,
      document: known,
      secret,
      madeFrom,
    });
    const command = new remote.Command(
      `${this.name}-${concern}`,
      {
        connection: this.connection(),
        create: answer.then((said) => apply(said === unseen ? { generation: 1, reason: "not seen before" } : said)),
        delete: undo,
        stdin: text,
        addPreviousOutputInEnv: false,
      },
      // The old one of a replacement is the same step on the host: taken back last, it would be gone.
      { ...options, deleteBeforeReplace: true, transforms: mayBeUnseen() ? [keepUnseen(answer)] : [] },
    );
    const tellSeen = async (): Promise<void> => {
      const said = await answer;
      if (said === unseen) return;
      await tell(said, command);
      if (secret && pulumi.runtime.isDryRun() && (await isToChange(command))) await tellRestart(said, command);
    };
    tellSeen().catch(() => {}); // why there is no answer, the program's end says
    const active = async () => {
      const said = await answer;
      return said === unseen ? undefined : said.active;
    };
    const step = { host: this, concern, command, digest: pulumi.output(text).apply(documentDigest), active };
    this.steps.push(step);
    return step;
  }

  private connection() {
    const { address, port, user, hostKey, jump, agentSocket } = this.target;
    const limits = {
      ...{ dialErrorLimit: 2, perDialTimeout: 10 },
      ...(agentSocket && { agentSocketPath: agentSocket }),
    };
    return {
      ...{ host: address, port, user, hostKey },
      ...limits,
      ...(jump && {
        proxy: { host: jump.address, port: jump.port, user: jump.user, hostKey: jump.hostKey, ...limits },
      }),
    };
  }
}

/** Whether the engine would change a step: in a preview, what the step prints is not known then. */
const isToChange = async ({ stdout }: remote.Command): Promise<boolean> => {
  const seen = await pulumi.runtime.serializeProperties("stdout", { stdout: pulumi.unsecret(stdout) });
  return seen.stdout === pulumi.runtime.unknownValue;
};

/** A host that was not seen must not show a false difference: its launcher stays what the state says. Each costs a call of the engine. */
const keepUnseen =
  (answer: Promise<StepAnswer | typeof unseen>): pulumi.ResourceTransform =>
  async ({ props, opts }) =>
    (await answer) === unseen ? { props, opts: { ...opts, ignoreChanges: ["create"] } } : undefined;
