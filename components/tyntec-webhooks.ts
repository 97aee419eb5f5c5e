import { local } from "@pulumi/command";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import type { Step } from "../hosts/host.ts";
import { prerequisite } from "../hosts/observation.ts";
import { type Webhook, webhooks } from "../render/tyntec.ts";
import { readWebhooks } from "../tyntec/api.ts";

/** What {@link TynTecWebhooks} needs to know. */
export interface TynTecWebhooksArgs {
  /** Base URL of the API, e.g. `https://api.tyntec.com/chat-api/v2`. */
  url: string;
  /** The account's key. */
  apiKey: Output<string>;
  /** Certificate authority of an API that no public one vouches for. */
  caFile?: string | undefined;
  /** Public https URL of the portal that TynTec calls. */
  portal: string;
  /** TynTec starts to call as soon as it knows the URLs: they have to answer before. */
  after: Step[];
}

/**
 * The webhooks through which TynTec delivers WhatsApp messages and their status to chat.
 *
 * Talks to the API from the controller: reads, compares as event → URL, writes only what differs, reads again.
 * Webhooks of other events are kept.
 *
 * Vendor page "CHAT role", step WhatsApp; TynTec Conversations API v2, "applications".
 */
export class TynTecWebhooks extends ComponentResource {
  /** The webhooks of this role. */
  readonly webhooks: Webhook[];

  constructor(name: string, args: TynTecWebhooksArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:TynTecWebhooks", name, {}, opts);
    this.webhooks = webhooks(args.portal);
    const seen = prerequisite({ look: () => problems(args) });
    new local.Command(
      "tyntec-webhooks",
      {
        create: seen.then(() => "node tyntec/webhooks.ts apply"),
        delete: "node tyntec/webhooks.ts undo",
        stdin: `${JSON.stringify({ url: args.url, caFile: args.caFile, webhooks: this.webhooks }, undefined, 2)}\n`,
        environment: { TYNTEC_API_KEY: args.apiKey },
        addPreviousOutputInEnv: true, // what was there before comes back to it with an update or a delete
      },
      { parent: this, dependsOn: args.after.map(({ command }) => command) },
    );
    this.registerOutputs();
  }
}

const problems = async ({ url, apiKey, caFile }: TynTecWebhooksArgs): Promise<string[]> => {
  const key = await new Promise<string>((resolve) => apiKey.apply(resolve));
  return readWebhooks({ url, apiKey: key, caFile }).then(
    () => [],
    (error: Error) => [error.message],
  );
};
