import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Step } from "../hosts/host.ts";
import { stopsAtDrift } from "../hosts/look/drift-policy.ts";
import { type Look, unseen } from "../hosts/look/look.ts";
import { printable } from "../hosts/printable.ts";
import { differences, type Webhook, webhooks, whereabouts } from "../render/tyntec.ts";
import { claimOf, refusals, takenAway } from "../tyntec/claim.ts";
import { documentText, type WebhooksDocument } from "../tyntec/document.ts";
import { type Recorded, recordedWebhooks, resourceName } from "../tyntec/recorded.ts";

/** What {@link TynTecWebhooks} needs to know. */
export interface TynTecWebhooksArgs {
  /** Where the look at the API is registered. */
  look: Look;
  /** Base URL of the API, e.g. `https://api.tyntec.com/chat-api/v2`. */
  url: string;
  /** The account's key. */
  apiKey: string;
  /** Certificate authority of an API that no public one vouches for. */
  caFile?: string | undefined;
  /** Public https URL of the portal that TynTec calls. */
  portal: string;
  /** Have events that another system gets now. Without it they are refused, before anything is written. @default false */
  takeOver?: boolean;
  /** What `up` does when our events were moved at TynTec: bring them back, or stop before the first write. @default "heal" */
  onDrift?: "heal" | "stop";
  /** Ask for WhatsApp's group events, too, as the vendor's page does. @default true */
  groupEvents?: boolean;
  /** TynTec starts to call as soon as it knows the URLs: they have to answer before. */
  after: Step[];
}

/**
 * The webhooks through which TynTec delivers WhatsApp messages and their status to chat.
 *
 * Talks to the API from the controller: reads, compares as event → URL, writes only what differs, reads again.
 * Webhooks of other events are kept. What was moved at TynTec since is shown in a preview, and moved back.
 * Deleting gives our events back to where they went before.
 *
 * Vendor page "CHAT role", step WhatsApp; TynTec Conversations API v2, "applications".
 */
export class TynTecWebhooks extends pulumi.ComponentResource {
  /** The webhooks of this role. */
  readonly webhooks: Webhook[];

  constructor(name: string, args: TynTecWebhooksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("jtel:chat:TynTecWebhooks", name, {}, opts);
    this.webhooks = webhooks(args.portal, args);
    const { url, caFile, takeOver } = args;
    const document = { url, ...(caFile && { caFile }), ...(takeOver && { takeOver }), webhooks: this.webhooks };
    const seen = look(document, args);
    const command = new local.Command(
      resourceName,
      {
        create: seen.then(applyCommand),
        delete: `${program} undo`,
        stdin: documentText(document),
        environment: { TYNTEC_API_KEY: pulumi.secret(args.apiKey) },
        addPreviousOutputInEnv: true, // what was there before comes back to it with an update or a delete
        logging: local.Logging.Stderr,
      },
      {
        parent: this,
        dependsOn: args.after.map(({ command }) => command),
        additionalSecretOutputs: ["stdout"], // somebody else's URL may hold his password
        transforms: [keepSettled(seen)],
      },
    );
    const tell = (found: Seen | undefined) =>
      found && (found.recorded || takeOver) ? logAstray(found, command) : undefined;
    void seen.then(tell, () => {}); // why there is no answer, the program's end says
    this.registerOutputs();
  }
}

/** What a look has found. */
interface Seen {
  /** Where our events go that should go elsewhere, as lines. */
  astray: string[];
  recorded: Recorded | undefined;
  problems: string[];
}

const program = "node tyntec/webhooks.ts";

/** Looks at the API together with the hosts; undefined where looking is switched off. */
const look = async (document: WebhooksDocument, args: TynTecWebhooksArgs): Promise<Seen | undefined> => {
  const { apiKey, onDrift } = args;
  const looking = async () => {
    const found = await compared(document, apiKey);
    return { found, problems: [...found.problems, ...(stopsAtDrift(onDrift) ? driftProblems(found) : [])] };
  };
  const seen = await args.look.registerPrerequisite({ name: resourceName, look: looking });
  return seen === unseen ? undefined : seen;
};

const compared = async (document: WebhooksDocument, apiKey: string): Promise<Seen> => {
  const { url, caFile, takeOver, webhooks } = document;
  // Loaded here: it takes a tenth of a second, and the hosts are looked at meanwhile.
  const { readWebhooks } = await import("../tyntec/api.ts");
  const present = await readWebhooks({ url, caFile, apiKey });
  const astray = differences(present, webhooks);
  if (!astray.length) return { astray: [], recorded: undefined, problems: [] };
  const recorded = await recordedWebhooks();
  const earlier = recorded && claimOf(recorded.document.url, recorded.document.webhooks);
  const taken = takenAway(present, claimOf(url, webhooks), earlier);
  return { astray: whereabouts(astray), recorded, problems: takeOver ? [] : refusals(taken) };
};

const driftProblems = ({ astray, recorded }: Seen): string[] =>
  recorded
    ? astray.map(
        (line) => `TynTec: ${line}: that was changed there, and onDrift is "stop". To bring it back, set onDrift: heal`,
      )
    : [];

/**
 * Events that have gone astray must run the command again, so its text changes: a count tells one time from the next, and the
 * comment says why. Such a text stays in the state until the next time (see {@link keepSettled}).
 */
const applyCommand = (seen: Seen | undefined): string => {
  if (!seen?.recorded || !seen.astray.length) return `${program} apply`;
  const times = Number(/# (\d+)\./.exec(seen.recorded.create)?.[1] ?? 1) + 1;
  return `${program} apply # ${times}. time: ${printable(seen.astray.join("; "))}`;
};

/** What is as it should be, or was not seen, must not show a difference: the command stays what the state says. */
const keepSettled =
  (seen: Promise<Seen | undefined>): pulumi.ResourceTransform =>
  async ({ props, opts }) =>
    (await seen)?.astray.length ? undefined : { props, opts: { ...opts, ignoreChanges: ["create"] } };

const logAstray = async ({ astray }: Seen, resource: pulumi.Resource): Promise<void> => {
  if (astray.length) await pulumi.log.info(["at TynTec now:", ...astray.map(printable)].join("\n"), resource);
};
