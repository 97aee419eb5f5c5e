import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Step } from "../hosts/host.ts";
import type { OnDrift } from "../hosts/look/drift-policy.ts";
import type { Look } from "../hosts/look/look.ts";
import { printable } from "../hosts/printable.ts";
import type { ApiVersion } from "../tyntec/api/version.ts";
import { applyCommand, undoCommand } from "../tyntec/command.ts";
import { callbacksDocument, documentText, versionOf } from "../tyntec/document.ts";
import { lookAtCallbacks, type SeenCallbacks } from "../tyntec/look-at-callbacks.ts";
import { resourceNames } from "../tyntec/recorded.ts";

/** What {@link TynTecWebhooks} needs to know. */
export interface TynTecWebhooksArgs {
  /** Where the look at the API is registered. */
  look: Look;
  /** Base URL of the API, e.g. `https://api.tyntec.com/chat-api/v2`. */
  url: string;
  /** The version of the API: webhooks of an application (v2), or the account's callback (v3). @default "v2" */
  apiVersion?: ApiVersion;
  /** The account's key. */
  apiKey: string;
  /** Certificate authority of an API that no public one vouches for. */
  caFile?: string | undefined;
  /** Public https URL of the portal that TynTec calls. */
  portal: string;
  /** Have events that another system gets now. Without it they are refused, before anything is written. @default false */
  takeOver?: boolean;
  /** What `up` does when our events were moved at TynTec: bring them back, or stop before the first write. @default "heal" */
  onDrift?: OnDrift;
  /** Ask for WhatsApp's group events, too, as the vendor's page does; version 3 has none. @default true */
  groupEvents?: boolean;
  /** TynTec starts to call as soon as it knows the URLs: they have to answer before. */
  after: Step[];
}

/**
 * The webhooks through which TynTec delivers WhatsApp messages and their status to chat.
 *
 * Talks to the API from the controller: reads, compares as event → URL, writes only what differs, reads again.
 * Everything else in the account is kept. What was moved at TynTec since is shown in a preview, and moved back.
 * Deleting gives our events back to where they went before.
 *
 * Vendor page "CHAT role", step WhatsApp; TynTec Conversations API v2, "applications", and v3, "configurations".
 */
export class TynTecWebhooks extends pulumi.ComponentResource {
  constructor(name: string, args: TynTecWebhooksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("jtel:chat:TynTecWebhooks", name, {}, opts);
    const document = callbacksDocument(args);
    const seen = lookAtCallbacks(args.look, document, args);
    const command = new local.Command(
      resourceNames[versionOf(document)],
      {
        create: seen.then(applyCommand),
        delete: undoCommand,
        stdin: documentText(document),
        environment: { TYNTEC_API_KEY: pulumi.secret(args.apiKey) },
        addPreviousOutputInEnv: true, // what was there before comes back to it with an update or a delete
        logging: local.Logging.Stderr,
      },
      {
        parent: this,
        dependsOn: args.after.map(({ command }) => command),
        additionalSecretOutputs: ["stdout"], // somebody else's URL may hold his password
        deleteBeforeReplace: true, // as the steps of hosts: the old one is the same webhooks
        transforms: [keepSettled(seen)],
      },
    );
    const tell = async (found: SeenCallbacks | undefined) => {
      if (found?.overrides.length) await pulumi.log.warn(lines("at TynTec:", found.overrides), command);
      if (found?.astray.length && (found.recorded || args.takeOver))
        await pulumi.log.info(lines("at TynTec now:", found.astray), command);
    };
    void seen.then(tell, () => {}); // why there is no answer, the program's end says
    this.registerOutputs();
  }
}

/** What is as it should be, or was not seen, must not show a difference: the command stays what the state says. */
const keepSettled =
  (seen: Promise<SeenCallbacks | undefined>): pulumi.ResourceTransform =>
  async ({ props, opts }) =>
    (await seen)?.reasons.length ? undefined : { props, opts: { ...opts, ignoreChanges: ["create"] } };

const lines = (title: string, found: string[]): string => [title, ...found.map(printable)].join("\n");
