import { once } from "node:events";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { WebSocketServer } from "ws";
import { haproxyOptions } from "../../../config/schema.ts";
import { call } from "../../../lab/clients/https.ts";
import { document } from "../../../render/document.ts";
import { chatSections, whatsappRules } from "../../../render/haproxy.ts";
import { bench } from "../bench.ts";

/** The host that is tested. */
const tool = bench({ name: "haproxy", on: "lb1", beside: ["acd-dbm"] });

export const { lab, host: lb1, hostNamed, install, installRecovery, apply: applyStep, lookAt, undo: undoStep } = tool;
export const file = "/etc/haproxy/haproxy.cfg";

export const pem = "/etc/haproxy/haproxy.pem";

export const portalLine = "frontend acdportal_https";

/** One chat server, on the controller: what counts here is that HAProxy reaches it. */
let chatServer: WebSocketServer | undefined;

export const startChat = (): void => {
  chatServer = new WebSocketServer({ host: lab().controllerAddress, port: 3000 });
};

export const stopChat = async (): Promise<void> => {
  if (!chatServer) return;
  for (const client of chatServer.clients) client.terminate(); // one that has vanished says no goodbye
  chatServer.close();
  await once(chatServer, "close");
};

export interface Change {
  scheme?: "https" | "http";
  port?: number;
  options?: object;
  /** Further fields of the document. */
  fields?: Record<string, string | undefined>;
}

export const sections = ({ scheme = "https", port = 3003, options = {} }: Change = {}): string =>
  chatSections({
    scheme,
    host: lab().chat,
    port,
    certificate: pem,
    portalFrontend: "acdportal_https",
    servers: [{ name: "chatserver1", address: lab().controllerAddress }],
    options: haproxyOptions.parse(options),
  });

export const frontend = (change: Change = {}): string =>
  document({
    kind: "haproxy",
    name: file,
    fields: {
      certificate: pem,
      public: lab().chat,
      portal: "acdportal_https",
      "portal-name": lab().portal,
      rules: whatsappRules,
      sections: sections(change),
      ...change.fields,
    },
  });

export const apply = (change?: Change) => tool.apply("haproxy", frontend(change));

export const undo = () => tool.undo("haproxy");

export const observe = (change?: Change) => tool.lookAt("haproxy", frontend(change));

/** A shell script that must succeed, line by line. */
export const run = (script: string): Promise<string> => tool.run(`set -e\n${script}`);

export const workers = () =>
  run("cd /proc/$(systemctl show --value --property=MainPID haproxy)/task && cat */children");

/** How often HAProxy was told to reload. */
export const reloads = async () =>
  Number(await run("journalctl --unit=haproxy --output=cat | grep -c ^Reloading || true"));

/** Loads what is on disk: the command returns before the new worker has begun. */
export const reload = "systemctl reload haproxy; sleep 1";

/** An edit that has kept the time of the file, so that nobody sees that HAProxy has not loaded it. */
export const unseen = `touch -r /root/haproxy.cfg ${file}`;

/** Makes a customer's file that passes HAProxy's checker and does not load. */
export const cannotBind = `printf 'frontend late\\n\\tbind /nowhere/socket\\n\\tdefault_backend backend_acdportal\\n' >> ${file}; ${unseen}`;

export const configuration = () => run(`cat ${file}`);

/** What the portal answers for `/`. */
export const portal = async () =>
  (await call(`https://${lab().portal}/`, { address: lb1().address, caFile: lab().caFile })).status;

export const begin = "# BEGIN jtel-chat";

/** A certificate of the host's own, with its key, where HAProxy looks for it. */
export const certificate = (days: number, names = `DNS:${"chat.lab.example"}`) =>
  run(`cd /tmp && openssl req -x509 -newkey rsa:2048 -nodes -days ${days} -subj /CN=chat -addext subjectAltName=${names} \
    -keyout key -out certificate 2>/dev/null && cat certificate key > ${pem}`);

beforeAll(async () => {
  startChat();
  await run(
    `ufw allow 3003/tcp >/dev/null; cp -a ${file} ${pem} /etc/hosts /root/; cp -a /etc/default/haproxy /root/default-haproxy`,
  );
});

/** The customer's files, and nothing of ours but the tool. */
beforeEach(async () => {
  await tool.install();
  await run(`rm -rf /var/lib/jtel-chat; cp -a /root/haproxy.cfg /root/haproxy.pem /etc/haproxy/
      sed -i '/^EXTRAOPTS/d' /etc/default/haproxy; systemctl reset-failed haproxy; systemctl restart haproxy`);
});

afterAll(() => stopChat());
