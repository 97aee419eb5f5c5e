import { all, ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import type { Database, Share } from "../config/schema.ts";
import type { Host, Step } from "../hosts/host.ts";
import {
  argumentFile,
  argumentFileText,
  connectionArgument,
  dataDirectory,
  dropIn,
  home,
  releaseFolder,
  unitName,
  updateScript,
} from "../render/client-messenger.ts";
import { document, type Section } from "../render/document.ts";
import { chatPort } from "../render/haproxy.ts";
import { type Needs, resourcesSection } from "../render/resources.ts";

/** What {@link ClientMessengerService} needs to know. */
export interface ClientMessengerServiceArgs {
  /** The servers that run it, in the order in which they are restarted. */
  chatServers: Host[];
  /** The share with the vendor's release. */
  share: Share;
  /** Which release: `hold` keeps what is installed, `follow` takes the share's. */
  release: "hold" | "follow";
  /** What a server must have before ClientMessenger is installed on it. */
  needs: Needs;
  /** The portal's database, with its password as a secret. */
  database: Output<Database>;
  /** Further steps whose result the process loads at its start. */
  loads: Step[];
}

/**
 * ClientMessenger as a systemd service: the program from the share, the vendor's unit with a drop-in, the database password in
 * a 0600 argument file, `updatesc.sh`, and the running, healthy process.
 *
 * Servers are restarted one after the other, and only when something that the process has loaded changed: the step
 * `messenger-running` lists it, so a preview names the cause.
 *
 * Vendor page "CHAT role", steps ClientMessenger, database connection, systemd and update script.
 */
export class ClientMessengerService extends ComponentResource {
  /** One step per chat server: the service runs the current files and answers a WebSocket handshake. */
  readonly running: Step[] = [];

  constructor(name: string, args: ClientMessengerServiceArgs, opts?: ComponentResourceOptions) {
    super("jtel:chat:ClientMessengerService", name, {}, opts);
    const installation = document(
      resourcesSection(args.needs, `${home}/bin`),
      release(args),
      unit(args.share),
      updateScriptFile(args.share),
    );
    const secret = args.database.apply((database) => document(argumentSection(database)));
    for (const host of args.chatServers) {
      const installed = host.step("messenger", installation, { parent: this });
      const connected = host.secretStep("messenger-secret", secret, { parent: this });
      const loads = [...args.loads.filter((step) => step.host === host), installed, connected];
      this.running.push(
        host.step("messenger-running", runningDocument(loads), { parent: this, after: this.running.slice(-1) }),
      );
    }
    this.registerOutputs();
  }
}

const release = ({ share: { path, hosted }, release: wanted }: ClientMessengerServiceArgs): Section => ({
  kind: "release",
  name: home,
  fields: {
    from: `${path}/${releaseFolder}`,
    mount: hosted ? undefined : path,
    owner: "jtel:jtel",
    release: wanted,
    "loaded-by": unitName,
  },
});

const unit = (share: Share): Section => ({
  kind: "unit",
  name: unitName,
  fields: {
    from: `${home}/systemd/${unitName}`,
    argument: connectionArgument,
    "argument-file": argumentFile,
    "drop-in": dropIn({ dataDirectory: dataDirectory(share), ...(share.hosted ? {} : { mount: share.path }) }),
  },
});

const updateScriptFile = (share: Share): Section => ({
  kind: "files",
  name: "/usr/local/bin/updatesc.sh",
  fields: { mode: "0755", content: updateScript(share) },
});

const argumentSection = (database: Database): Section => ({
  kind: "secret",
  name: argumentFile,
  fields: { "loaded-by": unitName, content: argumentFileText(database) },
});

const runningDocument = (loads: Step[]): Output<string> =>
  all(loads.map(({ concern, digest }) => digest.apply((value) => `${concern} ${value}`))).apply((lines) =>
    document({
      kind: "service",
      name: unitName,
      fields: { loads: lines, healthy: `ws://127.0.0.1:${chatPort}/`, within: "90" },
    }),
  );
