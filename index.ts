import { hostsOf } from "./config/hosts.ts";
import { loadDeployment } from "./config/load.ts";
import { publicPort } from "./config/ports.ts";
import { secretsOf } from "./config/schema.ts";
import { tyntecUrl } from "./config/tyntec-url.ts";
import { endWithEngine } from "./hosts/end-with-engine.ts";
import { Look } from "./hosts/look/look.ts";
import { observedHost } from "./hosts/look/observed-host.ts";
import { portalParameters as parameters, manualSteps as steps, portalTable as table } from "./render/portal.ts";

endWithEngine();
// Pulumi's language host has every stack trace mapped to other sources, which this program does not have. Pulumi's library takes one
// a resource: with that mapping, half of the time until the hosts are asked.
Reflect.deleteProperty(Error, "prepareStackTrace");

const deployment = loadDeployment();
const { public: visitors, whatsapp, tyntec } = deployment;

const look = new Look();
for (const host of hostsOf(deployment)) look.logIn(observedHost(deployment, host));

// All of Pulumi's library, which these need, takes a quarter of a second to load. Hosts are logged in to meanwhile.
const { judge } = await import("./approval/judge.ts");
const { protectAll } = await import("./hosts/protect.ts");
const { topologies } = await import("./topologies/topologies.ts");

if (deployment.protect) protectAll();
topologies[deployment.topology](deployment, look);

const handover = {
  ...{ scheme: visitors.scheme, host: visitors.host, port: publicPort(deployment) },
  whatsapp: whatsapp && tyntec && { ...whatsapp, tyntecUrl: tyntecUrl(tyntec) },
};

/** Values of the portal's system parameters, e.g. `{ "ACD.Chat.Server.Base.URL": "wss://chat.acme.example:3003" }`. */
export const portalParameters = parameters(handover);
/** Steps to do by hand in the portal. */
export const manualSteps = steps(handover);
/** Parameters and steps as Markdown. To print it: `pulumi stack output portalTable`. */
export const portalTable = table({ parameters: portalParameters, steps: manualSteps });

await look.close(judge(secretsOf(deployment)));
