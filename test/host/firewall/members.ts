import { beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../lab/deadline.ts";
import type { LabHost } from "../../../lab/lab.ts";
import { apply, host, look, neighbour, run, seen, tuples } from "./customer.ts";

/** Members of the cluster outside the stack. */
export const cutsNoMemberOff = (): void => {
  describe("a member outside that is connected", () => {
    const members = { members: "5701:5801" };
    const inside = ["allow 5701:5801/tcp from 10.1.0.21"];

    /** Like Hazelcast's, a socket for both families, which shows IPv4 peers as mapped addresses. */
    const listen = `import socket, time
server = socket.create_server(("", 5701), family=socket.AF_INET6, dualstack_ipv6=True)
kept = []
while True: kept.append(server.accept())`;

    const connect = (address: string) => `import socket, time
peer = socket.create_connection(("${address}", 5701), 5)
print("connected", flush=True)
time.sleep(600)`;

    const start = async (on: LabHost, unit: string, program: string) => {
      await on.exec(`systemctl stop ${unit}; systemd-run --quiet --collect --unit=${unit} python3 -c '${program}'`);
    };

    const join = async (address: string) => {
      await start(neighbour(), "trial-peer", connect(address));
      await until("the member", 20, async () => await seen("ss -Htn state established sport = 5701 | grep -q ."));
    };

    beforeEach(async () => {
      await neighbour().exec("systemctl stop trial-peer");
      await start(host(), "trial-member", listen);
      await until("the listener", 20, () => seen("ss -Htln sport = 5701 | grep -q ."));
    });

    test("is not cut off: tightening is refused until firewall.sources names it", async () => {
      expect(await apply(["allow 5701:5801/tcp"], members)).toMatchObject({ exitCode: 0 });
      await join(host().address);
      const before = await tuples();
      const refusal = `${neighbour().address} is connected to the cluster's port 5701, and only 'allow 5701:5801/tcp' lets it in`;
      expect((await look(inside, members)).problems).toEqual([expect.stringContaining(refusal)]);
      const refused = await apply(inside, members);
      expect(refused.exitCode).toBe(3);
      expect(refused.stderr).toContain("Name it in firewall.sources");
      expect(await tuples()).toEqual(before);

      const named = [...inside, `allow 5701:5801/tcp from ${neighbour().address}`];
      expect(await look(named, members)).toMatchObject({ problems: [], warnings: [] });
      expect(await apply(named, members)).toMatchObject({ exitCode: 0 });
      await join(host().address);
    });

    test("over IPv6 is seen, too", async () => {
      await run("ip address replace fd00:77::21/64 dev eth0 nodad");
      await neighbour().exec("ip address replace fd00:77::22/64 dev eth0 nodad");
      expect(await apply(["allow 5701:5801/tcp from fd00:77::/64"], members)).toMatchObject({ exitCode: 0 });
      await join("fd00:77::21");
      expect((await look(inside, members)).problems).toEqual([expect.stringContaining("fd00:77::22 is connected")]);
      expect(await look(["allow 5701:5801/tcp from fd00:77::22"], members)).toMatchObject({
        problems: [],
        warnings: [],
      });
      expect((await look(["allow 5701:5801/tcp from fd00:77::22 on lo"], members)).problems.length).toBe(1);
    });

    test("by a customer's own rule stays so, with a warning", async () => {
      await run(`ufw allow from ${neighbour().address} comment 'web server'`);
      await join(host().address);
      const { problems, warnings } = await look(inside, members);
      expect(problems).toEqual([]);
      expect(warnings).toEqual([
        expect.stringMatching(/is connected .*though no rule of this stack says so.*firewall\.sources/),
      ]);
      expect(await apply(inside, members)).toMatchObject({ exitCode: 0 });
      await join(host().address);
    });
  });
};
