import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import type { Database, Restart, Share, UnitOptions } from "../config/schema.ts";
import type { Host, Step } from "../hosts/host.ts";
import { messengerDocument } from "../render/client-messenger/messenger.ts";
import { messengerRunningDocument } from "../render/client-messenger/messenger-running.ts";
import { messengerSecretDocument } from "../render/client-messenger/messenger-secret.ts";
import type { Needs } from "../render/client-messenger/resources.ts";
import type { Rollout } from "./rollout.ts";

/** What {@link ClientMessengerService} needs to know. */
export interface ClientMessengerServiceArgs {
  /** The servers that run it, in the order in which they are restarted. */
  chatServers: Host[];
  /** The share with the vendor's release. */
  share: Share;
  /** Which release: `hold` keeps what is installed, `follow` takes the share's, a digest is exactly that one. */
  release: string;
  /** What a person has decided about the service's unit. */
  unit: UnitOptions;
  /** `roll` restarts a server when what it loads has changed; `hold` leaves that owed while it is healthy. */
  restart: Restart;
  /** What a server must have before ClientMessenger is installed on it. */
  needs: Needs;
  /** The portal's database; where it is stands in a public document, its password in a secret one only. */
  database: Database;
  /** Password that the rendered hazelcast.xml refers to; unset where the cluster's own file is copied. */
  hazelcastPassword?: Output<string> | undefined;
  /** Major release of the Java that runs it; 8 reads no argument file. */
  javaVersion: number;
  /** Further steps whose result the process loads at its start. */
  loads: Step[];
  /** What the process loads comes to one server after the other. */
  rollout: Rollout;
}

/**
 * ClientMessenger as a systemd service: the program from the share, a unit of ours from the vendor's, the database password in
 * a file for root only, `updatesc.sh`, and the running, healthy process.
 *
 * The connection comes first: every server logs in to the database with the program's own driver before anything of it changes.
 * Servers are restarted one after the other, and only when something that the process has loaded changed: the step
 * `messenger-running` lists it, so a preview names the cause. Each then has to be in one Hazelcast cluster with the others, or
 * its files are put back: servers that do not see each other look healthy, but chats do not cross.
 *
 * Vendor page "CHAT role", steps ClientMessenger, database connection, systemd and update script.
 */
export class ClientMessengerService extends ComponentResource {
  /** One step per chat server: the service runs the current files and answers a WebSocket handshake. */
  readonly running: Step[] = [];

  constructor(name: string, args: ClientMessengerServiceArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:ClientMessengerService", name, {}, opts);
    const connection = output(args.hazelcastPassword).apply((hazelcastPassword) =>
      messengerSecretDocument({ ...args.database, hazelcastPassword }, args),
    );
    const installation = messengerDocument(args);
    const messenger: Step[] = [];
    for (const [index, host] of args.chatServers.entries()) {
      const after = args.rollout.before(index);
      const connected = host.secretStep("messenger-secret", connection, { parent: this, after });
      const installed = host.step("messenger", installation, { parent: this, after });
      const loaded = [...args.loads.filter((step) => step.host === host), installed, connected];
      const running = output(loaded.map(({ concern, digest }) => ({ concern, digest }))).apply((loads) =>
        messengerRunningDocument({ loads, peers: peers(host, args), restart: args.restart }),
      );
      messenger.push(installed);
      this.running.push(host.step("messenger-running", running, { parent: this, after: this.running.slice(-1) }));
    }
    args.rollout.register(messenger, this.running);
    this.registerOutputs();
  }
}

/** The chat servers, of which those behind this one are restarted later. */
const peers = (host: Host, { chatServers }: ClientMessengerServiceArgs) =>
  chatServers.map(({ address, name }, index) => ({ address, name, later: index > chatServers.indexOf(host) }));
