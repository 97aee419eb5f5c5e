import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe } from "vitest";
import { join } from "../../lab/clients/chat.ts";
import { minutes, until } from "../../lab/deadline.ts";
import { stackHosts } from "../../lab/stack.ts";
import { type Change, engineLab, runnable } from "../engine/engine-lab.ts";
import { leftOver } from "./left-over.ts";
import { type Chance, type Fault, faults } from "./trials.ts";
import { saysAllIsWell } from "./truth.ts";

/** How long an `up` of such a change takes, in milliseconds, so that a random moment falls into it. */
const usual = 8000;

/** Boots four hosts, and each trial takes a minute: `npm test` leaves this file out. */
describe.skipIf(!runnable)("a stack", () => {
  const { lab, host, said, stack, up, applied, noop } = engineLab("faults-stack", {
    hosts: ["acd-dbm", "lb1", "lb2", "chatserver1"],
  });
  const configured = ["lb1", "lb2", "chatserver1"];

  let changes = 0;

  /** What each trial changes: every load balancer's frontend, and the chat server's unit, which restarts chat. */
  const next = (hostKey?: string): Change => {
    const count = ++changes;
    return (config) => {
      config.loadBalancers = stackHosts(lab(), "lb1", "lb2");
      config.chatServers = stackHosts(lab(), "chatserver1").map((each) => ({ ...each, ...(hostKey && { hostKey }) }));
      config.haproxy = { maxconn: 1000 + count };
      config.clientMessenger = { unit: { limits: count % 2 ? ["tmp"] : [] } };
    };
  };

  /** A visitor and an agent who answers, through the load balancer. */
  const talk = async (): Promise<true> => {
    const visitor = await join(lab(), {}, { role: "visitor", name: "Grete" });
    const agent = await join(lab(), {}, { role: "agent", chat: visitor.chat, name: "Otto" });
    agent.say("How can I help?");
    await visitor.hears("How can I help?");
    await Promise.all([visitor, agent].map(({ leave }) => leave()));
    return true;
  };

  /** What has to be true after a fault, whatever it was: the next `up` goes on, and the one after it has nothing to do. */
  const promise = async (change: Change): Promise<string | undefined> => {
    await applied(change);
    await noop(change);
    await until("a chat", 30, talk);
    for (const name of configured) {
      const lost = (await saysAllIsWell(host(name))) ?? (await leftOver(host(name)));
      if (lost) return `${name}: ${lost}`;
    }
    return undefined;
  };

  /** A row whose fault happens in the middle of an `up`, which says where it ends, if it does. */
  const during = (
    fault: string,
    how: string,
    happen: (chance: Chance) => Promise<() => Promise<unknown>>,
    named: RegExp,
  ): Fault => ({
    ...{ fault, how },
    trial: async (chance) => {
      const change = next();
      const running = up(change);
      await pause(chance.below(usual));
      const repair = await happen(chance);
      const { exitCode, output } = await running.finally(repair);
      if (exitCode && !named.test(output)) return `it is not said where the run has ended: ${output}`;
      return promise(change);
    },
  });

  const drop = (what: "-I" | "-D") => `iptables ${what} INPUT -i eth0 -j DROP`;

  /** Which load balancer has visitors' address, by keepalived's file and the address. */
  const virtual = "10.99.0.9";
  const keepalived = `mkdir -p /etc/keepalived
    printf 'vrrp_instance chat {\\n  virtual_ipaddress {\\n    ${virtual}\\n  }\\n}\\n' >/etc/keepalived/keepalived.conf`;
  const moveTo = async (number: number) => {
    const [from, to] = number % 2 ? ["lb1", "lb2"] : ["lb2", "lb1"];
    await said(from as string, `ip address del ${virtual}/32 dev lo`);
    await said(to as string, `ip address add ${virtual}/32 dev lo`);
  };

  beforeAll(async () => {
    for (const name of ["lb1", "lb2"])
      await said(
        name,
        `${keepalived}; sed -i '/${lab().chat}/d' /etc/hosts; echo '${virtual} ${lab().chat}' >>/etc/hosts`,
      );
    await moveTo(0);
    await said("chatserver1", `sed -i '/${host("chatserver2").address}</d' /home/jtel/shared/hazelcast.xml`);
    await applied(next());
  }, 15 * minutes);

  faults("stack", [
    {
      fault: "the controller is killed",
      how: "SIGKILL of pulumi at a random moment of an up",
      trial: async ({ below }) => {
        const change = next();
        const { pulumi } = await stack(change);
        let kill = () => {};
        const running = pulumi(["up", "--yes", "--skip-preview"], {
          running: (process) => {
            kill = () => void process.kill("SIGKILL");
          },
        });
        await pause(below(usual));
        kill();
        await running;
        const canceled = await pulumi(["cancel", "--yes"]);
        if (canceled.exitCode) return canceled.output;
        for (const name of configured) {
          const left = await leftOver(host(name));
          if (left) return `${name}: ${left}`;
        }
        return promise(change);
      },
    },
    during(
      "a load balancer vanishes",
      "its power is cut at a random moment of an up",
      async () => {
        await host("lb1").kill();
        return () => host("lb1").start();
      },
      /lb1/,
    ),
    during(
      "a load balancer vanishes",
      "its packets are dropped from a random moment of an up",
      async () => {
        await said("lb1", drop("-I"));
        return () => said("lb1", drop("-D"));
      },
      /lb1/,
    ),
    during(
      "a failover",
      "visitors' address moves to the other load balancer at a random moment of an up",
      async ({ number }) => {
        await moveTo(number + 1);
        return async () => {};
      },
      /lb1|lb2/,
    ),
    {
      fault: "a host is rebuilt",
      how: "under its name, with another key and an empty disk",
      trial: async () => {
        const change = next();
        await host("chatserver1").rebuild();
        await said("chatserver1", "rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh");
        const { exitCode, output } = await up(change);
        if (!exitCode) return "another key was taken";
        if (!/chatserver1: its host key is not the pinned one/.test(output)) return `not said: ${output}`;
        const key = await said("chatserver1", "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub");
        const lost = await promise(next(key));
        await host("chatserver1").rebuild();
        return lost ?? promise(next());
      },
    },
    {
      fault: "the state is older than the hosts",
      how: "a backup of it is restored after a later up",
      trial: async () => {
        const { pulumi } = await stack(next());
        const older = await pulumi(["stack", "export"]);
        const change = next();
        await applied(change);
        const process = await said("chatserver1", "systemctl show --value --property=MainPID jtel-clientmessenger");
        const { exitCode, output } = await pulumi(["stack", "import"], { input: older.output });
        if (exitCode) return output;
        const lost = await promise(change);
        const now = await said("chatserver1", "systemctl show --value --property=MainPID jtel-clientmessenger");
        return lost ?? (now === process ? undefined : "chat was restarted");
      },
    },
    {
      fault: "the state is lost",
      how: "all of it; each host is given to the new one",
      trial: async () => {
        const change = next();
        await applied(change);
        const running = "systemctl show --value --property=MainPID jtel-clientmessenger haproxy";
        const everywhere = (script: string) => Promise.all(configured.map((name) => said(name, script)));
        const before = await everywhere(running);
        const { pulumi } = await stack(change);
        await pulumi(["state", "delete", "--all", "--force", "--yes"]);
        const refused = await up(change);
        if (!refused.exitCode) return "the new state was taken for the owner";
        await everywhere("jtel-chatctl adopt jtel-chat/dev");
        const lost = await promise(change);
        return lost ?? ((await everywhere(running)).join() === before.join() ? undefined : "something was restarted");
      },
    },
  ]);
});
