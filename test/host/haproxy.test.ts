import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { haproxyOptions } from "../../config/schema.ts";
import { applyCommand } from "../../hosts/launcher.ts";
import { call } from "../../lab/clients/https.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { downLab, type Lab, type LabHost, upLab } from "../../lab/lab.ts";
import { document } from "../../render/document.ts";
import { chatSections, whatsappRules } from "../../render/haproxy.ts";
import { hostTool } from "../../render/host-tool.ts";
import { bootable } from "../bootable.ts";

const runnable = await bootable("HAProxy on a booted host");

const name = `haproxy-${process.pid}`;
const file = "/etc/haproxy/haproxy.cfg";
const pem = "/etc/haproxy/haproxy.pem";
const portalLine = "frontend acdportal_https";
let lab: Lab;
let lb1: LabHost;
/** One chat server, on the controller: what counts here is that HAProxy reaches it. */
let chatServer: WebSocketServer;

interface Change {
  scheme?: "https" | "http";
  port?: number;
  options?: object;
  /** Further fields of the document. */
  fields?: Record<string, string | undefined>;
}

const sections = ({ scheme = "https", port = 3003, options = {} }: Change = {}): string =>
  chatSections({
    scheme,
    host: lab.chat,
    port,
    certificate: pem,
    portalFrontend: "acdportal_https",
    servers: [{ name: "chatserver1", address: lab.controllerAddress }],
    options: haproxyOptions.parse(options),
  });

const frontend = (change: Change = {}): string =>
  document({
    kind: "haproxy",
    name: file,
    fields: {
      certificate: pem,
      public: lab.chat,
      portal: "acdportal_https",
      "portal-name": lab.portal,
      rules: whatsappRules,
      sections: sections(change),
      ...change.fields,
    },
  });

const apply = (change?: Change) =>
  lb1.exec(applyCommand("haproxy", { generation: 1, reason: "trial" }), { input: frontend(change), user: "deploy" });

interface Answer {
  reason: string;
  drifted: boolean;
  problems: string[];
  warnings: string[];
  active: boolean;
}

const observe = async (change?: Change): Promise<Answer> => {
  const input = `${JSON.stringify({ steps: { haproxy: frontend(change) } })}\n`;
  const { stdout } = await lb1.exec("jtel-chatctl look", { input });
  return JSON.parse(stdout.slice(stdout.indexOf("{"))).steps.haproxy;
};

/** A shell script that must succeed. */
const run = async (script: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await lb1.exec(`set -e\n${script}`);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};

const workers = () => run("cd /proc/$(systemctl show --value --property=MainPID haproxy)/task && cat */children");

/** How often HAProxy was told to reload. */
const reloads = async () => Number(await run("journalctl --unit=haproxy --output=cat | grep -c ^Reloading || true"));

/** The customer's file passes HAProxy's checker, and does not load. */
const cannotBind = `printf 'frontend late\\n\\tbind /nowhere/socket\\n\\tdefault_backend backend_acdportal\\n' >> ${file}`;

/** Knows one name. */
const nameServer = `
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    question = query[12 : query.index(b"\\0", 12) + 5]
    known = b"\\4only\\3dns\\7example" in question
    answers = question[:-4] + bytes([0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 9]) if known and question[-3] == 1 else b""
    flags = b"\\x81\\x80" if known else b"\\x81\\x83"
    server.sendto(query[:2] + flags + bytes([0, 1, 0, bool(answers), 0, 0, 0, 0]) + question + answers, client)
`;

const configuration = () => run(`cat ${file}`);

/** What the portal answers for `/`. */
const portal = async () => (await call(`https://${lab.portal}/`, { address: lb1.address, caFile: lab.caFile })).status;

const begin = "# BEGIN jtel-chat";

/** A certificate of the host's own, with its key, where HAProxy looks for it. */
const certificate = (days: number, names = `DNS:${"chat.lab.example"}`) =>
  run(`cd /tmp && openssl req -x509 -newkey rsa:2048 -noenc -days ${days} -subj /CN=chat -addext subjectAltName=${names} \
    -keyout key -out certificate 2>/dev/null && cat certificate key > ${pem}`);

describe.skipIf(!runnable)("HAProxy of a customer", () => {
  beforeAll(async () => {
    lab = await upLab(name, { hosts: ["lb1", "acd-dbm"], temporary: true });
    lb1 = lab.hosts.lb1 as LabHost;
    chatServer = new WebSocketServer({ host: lab.controllerAddress, port: 3000 });
    await run(
      `ufw allow 3003/tcp >/dev/null; cp -a ${file} ${pem} /etc/hosts /root/; cp -a /etc/default/haproxy /root/default-haproxy`,
    );
  }, 15 * minutes);

  /** The customer's files, and nothing of ours but the tool. */
  beforeEach(async () => {
    await lb1.exec("cat > /usr/local/sbin/jtel-chatctl; chmod 755 /usr/local/sbin/jtel-chatctl", { input: hostTool() });
    await run(`rm -rf /var/lib/jtel-chat; cp -a /root/haproxy.cfg /root/haproxy.pem /etc/haproxy/
      sed -i '/^EXTRAOPTS/d' /etc/default/haproxy; systemctl reset-failed haproxy; systemctl restart haproxy`);
  });

  afterAll(async () => {
    chatServer?.close();
    await downLab(name);
  });

  describe("that is configured", () => {
    test("is proven by requests: a WebSocket, the portal, WhatsApp's paths", async () => {
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("a WebSocket opens through :3003");
      expect(stdout).toContain("/incoming and /delivery on :443 reach backend_chat_ws");
      expect(await observe()).toMatchObject({ drifted: false, problems: [], warnings: [] });
    });

    test("is not reloaded by a second apply", async () => {
      await apply();
      const before = await workers();
      expect((await apply()).stdout).toBe("a WebSocket opens through :3003");
      expect(await workers()).toBe(before);
    });

    test("may be there before chat is: HAProxy's own 503 is said, and is no failure", async () => {
      chatServer.close();
      await once(chatServer, "close");
      const { exitCode, stdout, stderr } = await apply();
      chatServer = new WebSocketServer({ host: lab.controllerAddress, port: 3000 });
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain(":3003 answers; no chat server is up yet, so with HAProxy's own 503");
    });

    test("keeps an open chat over a reload, and its old worker is no obstacle to the next", async () => {
      await apply();
      const chat = new WebSocket(`wss://${lb1.address}:3003/`, { rejectUnauthorized: false });
      await once(chat, "open");
      for (const balance of ["roundrobin", "first"]) expect((await apply({ options: { balance } })).exitCode).toBe(0);
      expect((await workers()).split(" ").length).toBeGreaterThan(1);
      chat.ping();
      await once(chat, "pong");
      chat.close();
    });

    test("may get another scheme and port: what was ours before need not answer any more", async () => {
      await apply();
      const { exitCode, stdout, stderr } = await apply({ scheme: "http", port: 3000 });
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("a WebSocket opens through :3000");
    });

    test("takes every option of the stack file", async () => {
      const options = {
        weights: { chatserver1: 3 },
        check: { inter: "10s" },
        alpn: ["h2", "http/1.1"],
        binds: ["[::]:3003 v6only", "127.0.0.1:3005"],
        acceptProxy: true,
        redirectFrom: 3000,
        maxconn: 500,
      };
      const { exitCode, stdout, stderr } = await apply({ options });
      expect(exitCode, stderr).toBe(0);
      for (const bind of [":3003", "[::]:3003", "127.0.0.1:3005"])
        expect(stdout).toContain(`a WebSocket opens through ${bind}`);
      expect(stdout).toContain(":3000 redirects");
    });
  });

  describe("is refused before anything is written", () => {
    const refused = async (problem: RegExp, change?: Change): Promise<void> => {
      const [running, config] = [await workers(), await configuration()];
      expect((await observe(change)).problems).toEqual([expect.stringMatching(problem)]);
      const { exitCode, stderr } = await apply(change);
      expect(stderr).toMatch(problem);
      expect(exitCode).toBe(3);
      expect([await workers(), await configuration()]).toEqual([running, config]);
    };

    test("when another program holds the port, which is named", async () => {
      await run("systemd-run --quiet --unit=crm python3 -m http.server --bind 127.0.0.1 3004");
      await until("crm", 10, async () => (await lb1.exec("ss -Hltn | grep :3004")).exitCode === 0 || undefined);
      await refused(/port 3004 of 'frontend acdportal_chat_wss' is held by python3 \(process \d+ of crm\.service\)/, {
        port: 3004,
      });
      await run("systemctl stop crm");
    });

    test("when a section of the customer's binds the port, which no checker sees", () =>
      refused(
        /line \d+ 'bind :7777' in 'listen admin' binds port 7777, which is chat's: .* set public\.port to another/,
        {
          port: 7777,
        },
      ));

    test("when a rule of the portal surely takes WhatsApp's calls", async () => {
      await run(`sed -i '/^${portalLine}/a\\\\thttp-request deny if { path /delivery }' ${file}`);
      await refused(
        /line \d+ 'http-request deny .*' answers \/delivery before our rules are looked at .*Except them there/,
      );
    });

    test("when the host lacks an address", () =>
      refused(/no interface of this host has the address 192\.0\.2\.9/, { options: { binds: ["192.0.2.9:3004"] } }));

    test.each(["chroot /var/lib/nowhere", "user nobody-here"])(
      "with '%s', on which HAProxy would end",
      async (line) => {
        await run(`sed -i 's#^\\t${line.split(" ")[0]} .*#\\t${line}#' ${file}`);
        await refused(new RegExp(`'${line}' \\(global\\) does not exist on this host: HAProxy would end`));
      },
    );

    test("when the customer's part is wrong already, with what HAProxy says of it", async () => {
      await run(`sed -i 's/default_backend .*/default_backend nowhere/' ${file}`);
      await refused(/refused as it stands, too: repair it first: .*unable to find required default_backend: 'nowhere'/);
    });

    test("when the certificate serves another name", () =>
      refused(/haproxy\.pem does not serve other\.example: Hostname mismatch/, {
        fields: { public: "other.example" },
      }));

    test("when the certificate and its key are no pair", async () => {
      await certificate(90);
      await run(`openssl genrsa 2048 > /tmp/other 2>/dev/null; cat /tmp/certificate /tmp/other > ${pem}`);
      await refused(/haproxy\.pem stands with a private key that is not its own/);
    });

    test("when the certificate ends tomorrow", async () => {
      await certificate(1);
      await refused(/haproxy\.pem ends in 1 days .*Renew it/);
    });
  });

  test("a document with any other line than chat's is refused by its number, and nothing of it is run", async () => {
    const before = await configuration();
    const lua = { fields: { sections: sections().replace("global\n", "global\n    lua-load /tmp/document.lua\n") } };
    await run(`echo 'io.open("/tmp/loaded", "w"):close()' > /tmp/document.lua`);
    const line2 = /^document: line 2 of 'sections' is none that chat needs in HAProxy/;
    expect((await observe(lua)).problems).toEqual([expect.stringMatching(line2)]);
    const { exitCode, stderr } = await apply(lua);
    expect(stderr).toMatch(/line 2 of 'sections' is none that chat needs in HAProxy/);
    expect(exitCode).toBe(3);
    await run("test ! -e /tmp/loaded");
    expect(await configuration()).toBe(before);
  });

  describe("is checked without rights", () => {
    const lua = "/etc/haproxy/customers.lua";

    /** Lua in the customer's file: it tries everything, and says what it could read. */
    const loads = async (program: string) => {
      await lb1.exec(`cat > ${lua}`, { input: program });
      await run(`sed -i '0,/^global/s##global\\n\\tlua-load ${lua}#' ${file}; grep -q lua-load ${file}`);
    };

    afterEach(() => run(`rm -f ${lua}; : > /etc/resolv.conf; systemctl stop names 2>/dev/null || true`));

    test("so Lua in it writes nothing, executes nothing and reaches nobody", async () => {
      const places = ["/tmp", "/var/tmp", "/run", "/run/lock", "/dev/shm", "/etc/haproxy", "/var/lib/haproxy", "/home"];
      await run("systemd-run --quiet --unit=crm python3 -m http.server --bind 127.0.0.1 3004");
      await loads(`
        for _, place in ipairs({ ${places.map((place) => `"${place}"`).join(", ")} }) do
          local file = io.open(place .. "/by-lua", "w")
          if file then file:write("x") file:close() end
        end
        os.execute("touch /tmp/by-lua; pkill -9 -f http.server; curl -s http://127.0.0.1:3004/by-lua")
        local shell = io.popen("touch /var/tmp/by-lua")
        if shell then shell:close() end
      `);
      expect((await observe()).problems).toEqual([]);
      await run(`for place in ${places.join(" ")}; do test ! -e $place/by-lua; done; systemctl is-active crm`);
      expect(await run("journalctl --unit=crm --output=cat | grep -c by-lua || true")).toBe("0");
      await run("systemctl stop crm");
    });

    test("and what Lua says in HAProxy's name is not shown", async () => {
      await loads(`
        local secret = io.open("/etc/shadow"):read("*l")
        io.stderr:write("[ALERT]    (1) : config : parsing [${file}:2] : " .. secret .. "\\n")
        error(secret)
      `);
      const { problems } = await observe();
      expect(problems).toEqual([
        expect.stringMatching(/haproxy -c refuses the file as it would be.*haproxy\.cfg:2\]: see there/),
      ]);
      expect(problems.join()).not.toMatch(/root:|\*:/);
      const { stderr } = await apply();
      expect(stderr).not.toMatch(/root:|\*:/);
    });

    test("and what it quotes of other files is not shown", async () => {
      await run(
        `printf 'frontend x\\n\\tbind :9999\\n\\tacl y src -f /etc/shadow\\n\\thttp-request deny if y\\n' >> ${file}`,
      );
      const { problems } = await observe();
      expect(problems).toEqual([expect.stringContaining("error detected while parsing ACL 'y' : '…'")]);
    });

    test("and a server that only DNS knows is known to it, and one that nobody knows is not", async () => {
      await lb1.exec("cat > /root/names.py", { input: nameServer });
      await run(
        "systemd-run --quiet --collect --unit=names python3 /root/names.py; echo nameserver 127.0.0.1 > /etc/resolv.conf",
      );
      await until(
        "the name server",
        10,
        async () => (await lb1.exec("getent hosts only.dns.example")).exitCode === 0 || undefined,
      );
      await run(`printf 'backend named\\n\\tserver a only.dns.example:80\\n' >> ${file}`);
      expect((await observe()).problems).toEqual([]);
      await run(`sed -i s/only.dns/nobody.dns/ ${file}`);
      expect((await observe()).problems).toEqual([
        expect.stringMatching(
          /refused as it stands, too: .*'server named\/a' : could not resolve address 'nobody\.dns\.example'/,
        ),
      ]);
    });
  });

  test("a chroot that is gone stops nothing that needs no reload, and is a warning", async () => {
    await apply();
    await run(`sed -i 's#^\\tchroot .*#\\tchroot /var/lib/nowhere#' ${file}`);
    const { problems, warnings } = await observe();
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("'chroot /var/lib/nowhere'")]);
  });

  describe("is put back as it was", () => {
    const runsAgain = "HAProxy runs /etc/haproxy/haproxy.cfg again as it was.";
    const wentOn = "HAProxy has gone on with what it had loaded before.";

    const failing = async (problem: RegExp, afterwards: string, change?: Change): Promise<void> => {
      const config = await configuration();
      const { exitCode, stderr } = await apply(change);
      expect(stderr).toMatch(problem);
      expect(stderr.split("\n").slice(-2)).toEqual([afterwards, "What this run had changed was put back."]);
      expect(exitCode).toBe(1);
      expect(await configuration()).toBe(config);
      // A main process that had ended may be about to be started once more.
      expect([302, 403]).toContain(await until("the portal", 10, portal));
    };

    test("when the new worker cannot bind, with HAProxy's own words, and no reload more than that one", async () => {
      await run(cannotBind);
      const before = await reloads();
      await failing(/HAProxy does not run the new configuration: .*\/nowhere\/socket/s, wentOn);
      expect(await reloads()).toBe(before + 1);
    });

    test("when the main process ends, which is started again on the old file", async () => {
      const dropIn = "/etc/systemd/system/haproxy.service.d/gone.conf";
      // Its root directory is there when it starts, and gone when it reloads: no checker sees that beforehand.
      await run(`mkdir -p $(dirname ${dropIn}); cat > ${dropIn} <<'END'
[Service]
ExecStartPre=/bin/mkdir -p /var/lib/gone
ExecReload=
ExecReload=/bin/rmdir /var/lib/gone
ExecReload=/bin/kill -USR2 $MAINPID
END
        sed -i 's#chroot .*#chroot /var/lib/gone#' ${file}; systemctl daemon-reload; systemctl restart haproxy`);
      try {
        await failing(/HAProxy does not run the new configuration: its main process has ended/, runsAgain);
      } finally {
        await run(`rm ${dropIn}; systemctl daemon-reload`);
      }
    });

    test("when a rule that only the running HAProxy can judge takes WhatsApp's calls", async () => {
      await run(
        `sed -i '/^${portalLine}/a\\\\thttp-request deny if { path /delivery } { src 0.0.0.0/0 }' ${file}; systemctl reload haproxy`,
      );
      await failing(
        /POST \/delivery on :443 is answered with 403, and backend_chat_ws has not seen it: another rule of 'acdportal_https' wins, perhaps line \d+ 'http-request deny if/,
        runsAgain,
      );
    });

    test("when the portal answers otherwise than before", async () => {
      await run(`sed -i '/^${portalLine}/a\\\\thttp-request deny if { path / }' ${file}`);
      await failing(
        /'frontend acdportal_https' answers 403 for \/ on :443 since the reload, and answered 302 before/,
        runsAgain,
      );
    });

    test("when the run is killed, and HAProxy runs it", async () => {
      const config = await configuration();
      const silent = createServer();
      chatServer.close();
      await once(chatServer, "close");
      silent.listen(3000, lab.controllerAddress);
      const ended = apply();
      const listens = async () => (await lb1.exec("ss -Hltn 'sport = 3003'")).stdout !== "";
      await until("chat's port", 20, async () => (await listens()) || undefined);
      await run("systemctl kill --signal=KILL 'jtel-chat-haproxy-*'");
      const killed = await ended;
      silent.close();
      chatServer = new WebSocketServer({ host: lab.controllerAddress, port: 3000 });
      expect(killed.exitCode).not.toBe(0);
      expect(killed.stdout).toContain(runsAgain);
      expect(await run("jtel-chatctl log")).toMatch(
        /recover an interrupted run by .*: done\n.*put back what .*-haproxy'/,
      );
      expect(await configuration()).toBe(config);
      expect(await listens()).toBe(false);
    });
  });

  describe("without its master socket", () => {
    beforeEach(async () => {
      await run("echo 'EXTRAOPTS=\"-q\"' >> /etc/default/haproxy; systemctl restart haproxy");
    });

    test("is configured all the same, and warns", async () => {
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("a WebSocket opens through :3003");
      expect(stdout).toContain("warning: HAProxy runs without its master socket");
      expect(await observe()).toMatchObject({ drifted: false, warnings: [expect.stringContaining("EXTRAOPTS")] });
    });

    test("shows a reload that fails by its processes", async () => {
      await run(cannotBind);
      const { exitCode, stderr } = await apply();
      expect(stderr).toMatch(/HAProxy does not run the new configuration/);
      expect(stderr).toMatch(/HAProxy goes on with what it had loaded before: \S+ does not load as it was either/);
      expect(exitCode).toBe(1);
      expect(await configuration()).not.toContain(begin);
    });

    test("and without a stats socket, is proven by requests alone", async () => {
      await run(`sed -i '/stats socket/d' ${file}; systemctl restart haproxy`);
      const { exitCode, stdout, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("/incoming and /delivery on :443 reach backend_chat_ws");
      expect(await observe()).toMatchObject({ drifted: false });
    });
  });

  describe("with a renewed certificate", () => {
    test("that HAProxy has not loaded is drift, which a reload heals", async () => {
      await apply();
      await certificate(90);
      const { reason, drifted } = await observe();
      expect(drifted).toBe(true);
      expect(reason).toBe(`certificate ${pem}: changed since HAProxy loaded it`);
      expect((await apply()).stdout).toContain("changed since HAProxy loaded it");
      expect((await observe()).drifted).toBe(false);
      await run(`cat /tmp/certificate >> ${pem}`);
      expect((await observe()).drifted).toBe(true);
    });

    test("that its renewal has had reloaded is no drift", async () => {
      await apply();
      await certificate(90);
      await run("systemctl reload haproxy");
      await until("the renewed certificate", 10, async () => ((await observe()).drifted ? undefined : true));
    });

    test("that ends soon warns", async () => {
      await certificate(10);
      const { exitCode, stdout } = await apply();
      expect(stdout).toMatch(/warning: the certificate .* ends in 10 days/);
      expect(exitCode).toBe(0);
    });

    test("in a directory may be one of several", async () => {
      const directory = "/etc/haproxy/certificates";
      await run(`mkdir -p ${directory}; cp -a ${pem} ${directory}/lab.pem`);
      await certificate(90, "DNS:elsewhere.example");
      await run(`mv ${pem} ${directory}/elsewhere.pem; cp -a /root/haproxy.pem ${pem}`);
      expect((await observe({ fields: { certificate: directory } })).problems).toEqual([]);
      await run(`rm ${directory}/lab.pem`);
      expect((await observe({ fields: { certificate: directory } })).problems).toEqual([
        expect.stringContaining("elsewhere.pem does not serve chat.lab.example"),
      ]);
    });
  });

  describe("of several is the active one", () => {
    const active = async () => (await observe({ fields: { redundant: "yes" } })).active;
    const elsewhere = "sed -i 's/^10\\.[0-9.]*11\\t/192.0.2.1\\t/' /etc/hosts";

    afterEach(() => run("cp -a /root/hosts /etc/hosts"));

    test("when visitors' name leads to an address that it holds", async () => {
      expect(await active()).toBe(true);
      expect((await observe()).active).toBe(false);
      await run(elsewhere);
      expect(await active()).toBe(false);
    });

    test(
      "while keepalived has given it the virtual address, wherever visitors' name leads",
      async () => {
        const virtual = lab.subnet.replace(/\.0\/.*/, ".10/24");
        const instance = `interface eth0\nvirtual_router_id 7\npriority 100\nvirtual_ipaddress {\n${virtual}\n}`;
        await run(`${elsewhere}; apt-get install --yes --quiet=2 --no-install-recommends keepalived >/dev/null`);
        await lb1.exec("cat > /etc/keepalived/keepalived.conf", { input: `vrrp_instance portal {\n${instance}\n}\n` });
        await run("systemctl restart keepalived");
        await until("the virtual address", 20, async () => ((await active()) ? true : undefined));
        await run("systemctl stop keepalived");
        expect(await active()).toBe(false);
      },
      3 * minutes,
    );
  });

  describe("that was started in its own way", () => {
    const started = (settings: string) => run(`${settings}\n systemctl restart haproxy`);

    afterEach(() =>
      run(
        "cp -a /root/default-haproxy /etc/default/haproxy; rm -rf /etc/haproxy/more /etc/haproxy/acd.cfg /etc/haproxy/haproxy.cfg",
      ),
    );

    test("with variables is checked with them", async () => {
      await started(`sed -i 's/bind :7777/bind ":$ADMIN_PORT"/' ${file}; echo ADMIN_PORT=7777 >> /etc/default/haproxy`);
      const { exitCode, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      // A main process that has reloaded carries what only it may have in its environment.
      expect((await apply({ options: { balance: "first" } })).exitCode).toBe(0);
    });

    test("with a second file is checked with it, its ports included", async () => {
      const moved = "/^backend backend_acdportal/,$";
      await started(`mkdir /etc/haproxy/more; sed -n '${moved}p' ${file} > /etc/haproxy/more/portal.cfg; sed -i '${moved}d' ${file}
        printf 'frontend intranet\n\tbind :3004\n\tdefault_backend backend_acdportal\n' >> /etc/haproxy/more/portal.cfg
        echo 'EXTRAOPTS="-S /run/haproxy-master.sock -f /etc/haproxy/more"' >> /etc/default/haproxy`);
      const { exitCode, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect((await observe({ port: 3004 })).problems).toEqual([
        expect.stringContaining("'frontend intranet' binds port 3004, too"),
      ]);
      expect((await observe({ fields: { portal: "intranet" } })).problems).toEqual([
        expect.stringMatching(/'intranet' stands in \/etc\/haproxy\/more\/portal\.cfg, and only .* move it there$/),
      ]);
    });

    test("with names beside its file is checked with what stands there", async () => {
      await started(
        `sed -i 's#/etc/haproxy/errors/#errors/#; 0,/^global/s//global\\n\\tdefault-path config/' ${file}; grep 'errorfile.* errors/' ${file}`,
      );
      const { exitCode, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
    });

    test("with its defaults in a file before is edited as one that has them", async () => {
      await started(`mkdir /etc/haproxy/more; sed -n '/^frontend/,$p' ${file} > /etc/haproxy/more/20.cfg; sed -i '/^frontend/,$d' ${file}
        mv ${file} /etc/haproxy/more/10.cfg; ln -s more/20.cfg ${file}; echo CONFIG=/etc/haproxy/more >> /etc/default/haproxy`);
      const { exitCode, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(await run(`grep -c defaults /etc/haproxy/more/20.cfg || true`)).toBe("0");
    });

    test("with a second file is refused where that one would inherit what chat needs", async () => {
      await started(`mkdir /etc/haproxy/more; printf 'frontend intranet\n\tbind :3004\n\tdefault_backend backend_acdportal\n' > /etc/haproxy/more/a.cfg
        sed -i '0,/^defaults/s//defaults\\n\\toption httpchk/' ${file}
        echo 'EXTRAOPTS="-S /run/haproxy-master.sock -f /etc/haproxy/more"' >> /etc/default/haproxy`);
      expect((await observe()).problems).toEqual([
        expect.stringMatching(
          /chat cannot use the last 'defaults' there .* 'frontend intranet' in a file that HAProxy reads afterwards/,
        ),
      ]);
      await run("sed -i '1i defaults\\n\\tmode http' /etc/haproxy/more/a.cfg; systemctl reload haproxy");
      expect((await observe()).problems).toEqual([]);
    });

    test("with another file is refused; a link to that one stays a link", async () => {
      await started(`mv ${file} /etc/haproxy/acd.cfg; chmod 640 /etc/haproxy/acd.cfg; sed '/^frontend/,$d' /root/haproxy.cfg > ${file}
        echo CONFIG=/etc/haproxy/acd.cfg >> /etc/default/haproxy`);
      expect((await observe()).problems).toEqual([
        expect.stringMatching(
          /was started with \/etc\/haproxy\/acd\.cfg, so what stands in this file has no effect\. Make it a link/,
        ),
      ]);
      await run(`ln -sf acd.cfg ${file}`);
      const { exitCode, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(
        await run(`readlink ${file}; grep -c '${begin}' /etc/haproxy/acd.cfg; stat -c %a /etc/haproxy/acd.cfg`),
      ).toMatch(/^acd\.cfg\n[1-9]\n640$/);
      await run("jtel-chatctl undo haproxy");
      expect(await run(`readlink ${file}; cmp /root/haproxy.cfg /etc/haproxy/acd.cfg`)).toBe("acd.cfg");
    });
  });

  test("undo gives the file back with owner, mode and access list, what others have written since included, and HAProxy runs it", async () => {
    const owner = `stat -c '%a %U:%G' ${file}; getfacl -cp ${file}`;
    await run(`apt-get install --yes --quiet=2 --no-install-recommends acl >/dev/null
      chmod 640 ${file}; chown root:haproxy ${file}; setfacl -m user:deploy:r ${file}`);
    const [before, owned] = [await configuration(), await run(owner)];
    expect(owned).toContain("user:deploy:r--");
    await apply();
    expect(await run(owner)).toBe(owned);
    await run(`sed -i '1i# since then' ${file}; jtel-chatctl undo haproxy`);
    expect(await configuration()).toBe(`# since then\n${before}`);
    expect(await run(owner)).toBe(owned);
    expect((await lb1.exec("ss -Hltn | grep :3003")).exitCode).not.toBe(0);
  });
});
