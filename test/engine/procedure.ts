import { describe, expect, test } from "vitest";
import { proveChat } from "../../lab/clients/chat.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { readWebhooks } from "../../tyntec/api/application.ts";
import { callbacks } from "../../tyntec/model/callbacks.ts";
import { chatWebhooks } from "../../tyntec/model/chat-webhooks.ts";
import { procedureOf } from "../coverage.ts";
import type { Change, EngineLab } from "./engine-lab.ts";

/** The hosts of a topology, by their role. */
export interface Roles {
  chatServers: string[];
  loadBalancers: string[];
}

/** One line of the vendor's page "CHAT role", and how it shows on booted hosts. */
interface Line {
  /** As the page calls it. */
  title: string;
  holds: (landscape: EngineLab & Roles & { change?: Change | undefined }) => Promise<void>;
}

/** What a script prints on each of some hosts. */
const each = async ({ said }: EngineLab, hosts: string[], script: string, expected: RegExp): Promise<void> => {
  expect(hosts.length).toBeGreaterThan(0);
  for (const host of hosts) expect(await said(host, script), host).toMatch(expected);
};

const program = "/home/jtel/ClientMessenger";
const install = "/home/jtel/shared/JTELCarrierPortal/Utils/Install/ClientMessenger";
const status = `python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:3000/status").read().decode())'`;

const outputs = async ({
  stack,
  change,
}: EngineLab & { change?: Change | undefined }): Promise<Record<string, unknown>> =>
  JSON.parse((await (await stack(change)).pulumi(["stack", "output", "--json"])).output);

/** Every line of the procedure, by its name in docs/coverage.md. */
const procedure: Line[] = [
  {
    title: "Java is installed",
    holds: (the) =>
      each(
        the,
        the.chatServers,
        `dpkg --status ${javaOf(the.lab().release).package} | grep ^Status`,
        /install ok installed$/,
      ),
  },
  {
    title: "ClientMessenger is copied from the share, owned by jtel:jtel, without nesting",
    holds: (the) =>
      each(
        the,
        the.chatServers,
        `diff -r ${install}/bin ${program}/bin && find ${program} ! -user jtel -o ! -group jtel; ls -d ${program}/ClientMessenger 2>&1`,
        /^ls: cannot access/,
      ),
  },
  {
    title: "hazelcast.xml comes from the share, owned by jtel:jtel",
    holds: (the) =>
      each(
        the,
        the.chatServers,
        `cmp /home/jtel/shared/hazelcast.xml ${program}/conf/hazelcast.xml && stat -c %U:%G ${program}/conf/hazelcast.xml`,
        /^jtel:jtel$/,
      ),
  },
  {
    title: "the Hazelcast members of all chat servers are one cluster",
    holds: (the) =>
      each(the, the.chatServers, status, new RegExp(`"members":\\[("[^"]+",?){${the.chatServers.length},}\\]`)),
  },
  {
    title: "/acd-store/shared is a link to the share, and none landed inside it",
    holds: (the) =>
      each(
        the,
        the.chatServers,
        "readlink /acd-store/shared; ls -d /home/jtel/shared/shared 2>&1",
        /^\/home\/jtel\/shared\nls: cannot/,
      ),
  },
  {
    title: "the database connection is the vendor's, and logs in",
    holds: async (the) => {
      const argument = "connection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=";
      await each(the, the.chatServers, `grep -cF '${argument}' /etc/jtel-chat/clientmessenger.args`, /^1$/);
      await each(the, the.chatServers, status, /"database":"ok"/);
    },
  },
  {
    title: "the unit is in /etc/systemd/system, enabled and running",
    holds: (the) =>
      each(
        the,
        the.chatServers,
        "systemctl show --value -p FragmentPath jtel-clientmessenger; systemctl is-enabled jtel-clientmessenger; systemctl is-active jtel-clientmessenger",
        /^\/etc\/systemd\/system\/jtel-clientmessenger\.service\nenabled\nactive$/,
      ),
  },
  {
    title: "updatesc.sh is executable",
    holds: (the) => each(the, the.chatServers, "stat -c '%a %U' /usr/local/bin/updatesc.sh", /^755 root$/),
  },
  {
    title: "the firewall opens 5701:5801/tcp and 3000/tcp on chat servers",
    holds: async (the) => {
      for (const port of ["5701:5801", "3000"])
        await each(the, the.chatServers, "ufw show added", new RegExp(`allow from \\S+ to any port ${port} proto tcp`));
    },
  },
  {
    title: "the firewall opens the public port on every load balancer",
    holds: (the) => each(the, the.loadBalancers, "ufw show added", /allow 3003\/tcp/),
  },
  {
    title: "HAProxy has the chat frontend and a backend with every chat server, the same on every load balancer",
    holds: async (the) => {
      const servers = the.chatServers.map((name) => `server ${name} [\\d.]+:3000 weight 1 check inter \\w+`);
      const shape = `frontend acdportal_chat_wss\\n.*bind :3003 ssl crt .*timeout client 1d.*balance leastconn.*${servers.join(".*")}`;
      await each(the, the.loadBalancers, "cat /etc/haproxy/haproxy.cfg", new RegExp(shape, "s"));
      await each(the, the.loadBalancers, "haproxy -c -q -f /etc/haproxy/haproxy.cfg && echo valid", /^valid$/);
    },
  },
  {
    title: "a chat crosses two chat servers, and the portal goes on",
    holds: async ({ lab }) => expect(await proveChat(lab())).toMatchObject({ portal: 200 }),
  },
  {
    title: "the portal parameters of chat are given with their values",
    holds: async (the) =>
      expect((await outputs(the)).portalParameters).toMatchObject({
        "ACD.Chat.Script.Library.URL": "https://chat.lab.example:3003/gui/",
        "ACD.Chat.Server.Base.URL": "wss://chat.lab.example:3003",
      }),
  },
  {
    title: "the manual steps in the portal are named",
    holds: async (the) => expect(String((await outputs(the)).manualSteps)).toMatch(/agent status.*parallel chats/s),
  },
  {
    title: "WhatsApp: DATADIR is the share's, mounted",
    holds: (the) =>
      each(
        the,
        the.chatServers,
        "tr '\\0' '\\n' </proc/$(systemctl show --value --property=MainPID jtel-clientmessenger)/environ | grep DATADIR",
        /^DATADIR=\/home\/jtel\/shared\/Data\/clients\/$/,
      ),
  },
  {
    title: "WhatsApp: /incoming and /delivery of the portal's frontend go to chat",
    holds: (the) =>
      each(
        the,
        the.loadBalancers,
        "sed -n '/^frontend acdportal_https/,/^backend/p' /etc/haproxy/haproxy.cfg",
        /acl whatsapp_req path \/incoming\n\s+acl whatsapp_req path \/delivery\n\s+use_backend backend_chat_ws if whatsapp_req/,
      ),
  },
  {
    title: "WhatsApp: the portal parameters and the Chat Connector are given",
    holds: async (the) => {
      const { portalParameters, manualSteps } = await outputs(the);
      expect(Object.keys(portalParameters as object)).toEqual(
        expect.arrayContaining([
          "ACD.Whatsapp.Server.Base.URL",
          "ACD.Whatsapp.Whatsapp.Url",
          "ACD.Whatsapp.Tyntec.Url",
        ]),
      );
      expect(String(manualSteps)).toContain("+4989123456");
    },
  },
  {
    title: "WhatsApp: TynTec has both webhooks",
    holds: async ({ lab }) => {
      const present = await readWebhooks({ ...lab().tyntec, caFile: lab().caFile });
      const wanted = callbacks(chatWebhooks(`https://${lab().portal}`));
      expect(Object.fromEntries(callbacks(present))).toMatchObject(Object.fromEntries(wanted));
    },
  },
];

/** A test for each line of the procedure, on hosts that are up. */
export const procedureHolds = (topology: string, engine: EngineLab, roles: Roles, change?: Change): void => {
  describe(procedureOf(topology), () => {
    // Not test.each: it cuts long titles.
    for (const { title, holds } of procedure) test(title, () => holds({ ...engine, ...roles, change }));
  });
};
