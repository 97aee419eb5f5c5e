import { beforeAll, describe, expect, test } from "vitest";
import { proveChat } from "../../lab/clients/chat.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { javaOf } from "../../lab/hosts/release.ts";
import { stackHosts } from "../../lab/stack.ts";
import { startWebServer, webServerStart } from "../../lab/stand-ins/web-server.ts";
import { type Change, engineLab, runnable } from "./engine-lab.ts";
import { procedureHolds } from "./procedure.ts";

const members = "journalctl --unit=jtel-clientmessenger --output=cat | grep -o 'Members {size:[0-9]*' | tail -1";

describe.skipIf(!runnable)("chat on the load balancers themselves", () => {
  const engine = engineLab("lb-hosted", { hosts: ["lb1", "lb2", "acd-dbm"] });
  const { lab, said, up, applied, noop, stack } = engine;

  const lbHosted: Change = (config) => {
    config.topology = "lb-hosted";
    config.loadBalancers = stackHosts(lab(), "lb1", "lb2");
    delete config.chatServers;
    config.resources = { accept: ["cores"] };
    config.java = { ...(config.java as object), onDestroy: "remove" };
    config.clientMessenger = { drain: {} };
  };

  const balanced = (balance: string): Change => {
    return (config) => {
      lbHosted(config);
      config.haproxy = { balance };
    };
  };

  /** The load balancers, as `up` came to them. */
  const inOrder = (output: string): string[] =>
    [...output.matchAll(/(lb\d-haproxy) (?:created|updated)/g)].map(([, step]) => step ?? "");

  test("over http, where port 3000 is wanted twice, is refused before anything is looked at", async () => {
    const { exitCode, output } = await up((config) => {
      lbHosted(config);
      config.public = { scheme: "http", host: lab().chat };
      delete config.whatsapp;
      delete config.tyntec;
    });
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/jtel-chat:public: http on port 3000 .* Use https \(port 3003\), or set public\.port/);
  });

  test("with too few cores is refused with the numbers and the override", async () => {
    const { exitCode, output } = await up((config) => {
      lbHosted(config);
      delete config.resources;
    });
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(
      /lb2: cores: the vendor asks for 2 beside one.*, this host has \d+\. .*resources\.accept: \[cores\]/,
    );
    expect(await said("lb2", "ls /var/lib/jtel-chat 2>&1")).toContain("No such file");
  });

  test(
    "a chat crosses both, and a second up changes nothing",
    async () => {
      const list = stackHosts(lab(), "lb1", "lb2").map(({ address }) => `<member>${address}</member>`);
      await said(
        "lb1",
        `sed -i '/<member>/d; s#<tcp-ip enabled="true">#&${list.join("")}#' /home/jtel/shared/hazelcast.xml`,
      );
      expect(inOrder(await applied(lbHosted))).toEqual(["lb2-haproxy", "lb1-haproxy"]);
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });
      expect(await said("lb2", members)).toBe("Members {size:2");
      await noop(lbHosted);
    },
    10 * minutes,
  );

  procedureHolds("lb-hosted", engine, { chatServers: ["lb1", "lb2"], loadBalancers: ["lb1", "lb2"] }, lbHosted);

  test("every load balancer has the same configuration", async () => {
    const ours = "sed -n '/BEGIN jtel-chat/,/END jtel-chat/p' /etc/haproxy/haproxy.cfg";
    expect(await said("lb2", ours)).toBe(await said("lb1", ours));
    expect(await said("lb1", ours)).toMatch(/server lb1 .*\n.*server lb2 /);
  });

  test("every load balancer asks each chat server whether it drains, its own one too", async () => {
    for (const asked of ["lb1", "lb2"])
      await until(`both ask ${asked}`, 10, async () => {
        const peers = Object.keys(JSON.parse(await said(asked, "cat /run/jtel-chat-drain/asked")));
        const both = ["lb1", "lb2"].map((each) => lab().hosts[each]?.address ?? "");
        return both.every((address) => peers.includes(address)) || undefined;
      });
    expect(await said("lb1", "jtel-chatctl status")).toContain("0 sessions are open; a restart waits for them 10 min");
  });

  test("what fails on the standby does not reach the active one", async () => {
    const before = await said("lb1", "cat /etc/haproxy/haproxy.cfg");
    const rule = "http-request deny if { path /delivery } { method POST }";
    await said(
      "lb2",
      `sed -i '/^frontend acdportal_https/a\\\\t${rule}' /etc/haproxy/haproxy.cfg; systemctl reload haproxy`,
    );

    const { exitCode, output } = await up(balanced("roundrobin"));
    expect(exitCode).not.toBe(0);
    expect(output).toContain("backend_chat_ws has not seen it: another rule of 'acdportal_https' wins");
    expect(await said("lb1", "cat /etc/haproxy/haproxy.cfg")).toBe(before);

    await said("lb2", "sed -i '/method POST/d' /etc/haproxy/haproxy.cfg; systemctl reload haproxy");
    expect(inOrder(await applied(balanced("roundrobin")))).toEqual(["lb2-haproxy", "lb1-haproxy"]);
  });

  test("after a failover the other one is changed last, and a failover alone is no change", async () => {
    const name = lab().chat;
    for (const each of ["lb1", "lb2"])
      await said(each, `sed -i 's/ ${name}//; /^[0-9.]*\\tlb2/s/$/ ${name}/' /etc/hosts`);
    await noop(balanced("roundrobin"));
    expect(inOrder(await applied(balanced("first")))).toEqual(["lb1-haproxy", "lb2-haproxy"]);
  });

  test("destroy takes both roles off a host, and Java where the stack says so and nothing else needs it", async () => {
    const jdk = javaOf(lab().release).package;
    const java = `dpkg --get-selections ${jdk} ${jdk.replace(/jdk$/, "jre-headless")} | cut -f2-`;
    await said("lb2", "apt-get install --yes --no-install-recommends default-jre-headless");

    const { exitCode, output } = await (await stack(lbHosted)).pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(exitCode, output).toBe(0);
    expect(await said("lb1", "grep -c jtel-chat /etc/haproxy/haproxy.cfg; ls /home/jtel")).toBe("0\nshared");
    expect(await said("lb1", "find /etc/systemd/system /run /var/lib /var/lib/private -name 'jtel-chat*'")).toBe("");
    expect(await said("lb1", java)).not.toMatch(/^\s*install$/m);
    expect(output).toMatch(new RegExp(`${jdk} stays installed, since .*default-jre-headless.* would go with it`));
    expect(await said("lb2", java)).toMatch(/^\s*install\n\s*install$/m);
  });
});

describe.skipIf(!runnable)("chat on the platform's web servers", () => {
  const engine = engineLab("co-located");
  const { lab, host, said, applied, noop } = engine;
  let webServerAsStarted: string;

  const coLocated: Change = (config) => {
    config.topology = "co-located";
  };

  beforeAll(async () => {
    webServerAsStarted = await startWebServer(host("chatserver1"), lab().subnet);
    await startWebServer(host("chatserver2"), lab().subnet);
  });

  test(
    "its Hazelcast members and the web servers' own find each other beside them",
    async () => {
      await applied(coLocated);
      expect(await said("chatserver1", members)).toBe("Members {size:4");
      expect(await said("chatserver1", "ss -Hltn 'sport >= 5701 and sport <= 5801' | wc -l")).toBe("2");
      expect(await proveChat(lab())).toMatchObject({ portal: 200 });
      await noop(coLocated);
    },
    10 * minutes,
  );

  const roles = { chatServers: ["chatserver1", "chatserver2"], loadBalancers: ["lb1"] };
  procedureHolds("co-located", engine, roles, coLocated);

  test("the web server beside it was not touched", async () => {
    expect(webServerAsStarted).toMatch(/^\w+\nactive$/);
    expect(await said("chatserver1", webServerStart), await said("chatserver1", "journalctl --unit=acd-web")).toBe(
      webServerAsStarted,
    );
  });

  test("over http, without WhatsApp, it works as well", async () => {
    const http: Change = (config) => {
      coLocated(config);
      config.public = { scheme: "http", host: lab().chat };
      delete config.whatsapp;
      delete config.tyntec;
    };
    await applied(http);
    expect(await proveChat(lab(), { scheme: "http" })).toMatchObject({ portal: 200 });
    expect(await said("lb1", "grep -c whatsapp_req /etc/haproxy/haproxy.cfg")).toBe("0");
    await noop(http);
  });
});
