import { describe, expect, test } from "vitest";
import { until } from "../../lab/deadline.ts";
import { document } from "../../render/document.ts";
import { bootable } from "../bootable.ts";
import { bearsOtherCalls } from "./firewall/at-the-same-time.ts";
import { apply, count, firewall, host, launch, look, neighbour, run, seen, tuples, undo } from "./firewall/customer.ts";
import { cutsNoMemberOff } from "./firewall/members.ts";
import { leavesRulesOfOthers } from "./firewall/rules-of-others.ts";
import { isSwitchedOnOnTrial } from "./firewall/switched-on.ts";

describe.skipIf(!(await bootable("the firewall of a booted host")))("ufw on a customer's host", () => {
  leavesRulesOfOthers();

  test("sources of both families get their rules; without IPv6 in ufw theirs are left out, and said so", async () => {
    const rules = ["allow 3000/tcp from 10.1.0.0/24", "allow 3000/tcp from fd00:1::/64 on eth0", "allow 3003/tcp"];
    expect(await apply(rules)).toMatchObject({ exitCode: 0 });
    expect(await count(/fd00:1::\/64 in_eth0/)).toBe(1);
    expect(await count(/./)).toBe(4);
    await undo();
    await run("sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw");
    expect((await look(rules)).warnings).toEqual([
      expect.stringContaining("'allow 3000/tcp from fd00:1::/64 on eth0' is left out"),
    ]);
    expect(await apply(rules)).toMatchObject({ exitCode: 0 });
    expect(await count(/./)).toBe(2);
    expect((await look(rules)).drifted).toBe(false);
    await run("sed -i s/IPV6=no/IPV6=yes/ /etc/default/ufw");
    expect((await look(rules)).drifted).toBe(true);
    expect(await apply(rules)).toMatchObject({ exitCode: 0 });
    expect(await count(/./)).toBe(4);

    await run("sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw");
    expect((await undo()).stdout).toContain("stays in /etc/ufw/user6.rules");
    expect(await count(/./), "of IPv6").toBe(2);
  });

  test("an interface that the host lacks is a problem that names those it has", async () => {
    const { problems } = await look(["allow 3000/tcp on eth7"]);
    expect(problems).toEqual([expect.stringMatching(/no interface 'eth7'.*eth0/)]);
  });

  test("an error in the same step puts all rules back", async () => {
    await apply(["allow 3003/tcp"]);
    const before = (await tuples()).toSorted();
    await run("mkdir -p /acd-store/shared"); // where a link belongs
    const failing = { kind: "files" as const, name: "/acd-store/shared", fields: { link: "/home/jtel/shared" } };
    const text = `${firewall(["allow 3000/tcp from 10.1.0.11"])}\n${document(failing)}`;
    expect(await host().exec(launch, { input: text, user: "deploy" })).not.toMatchObject({ exitCode: 0 });
    expect((await tuples()).toSorted()).toEqual(before);
  });

  test("tightening leaves no gap: whoever stays allowed gets in all the time", async () => {
    expect(await apply(["allow 3000/tcp"])).toMatchObject({ exitCode: 0 });
    const server = `import socket
server = socket.create_server(("", 3000), backlog=100)
while True: server.accept()[0].close()`;
    await run(`systemd-run --quiet --collect --unit=trial-member python3 -c '${server}'`);
    await until("the listener", 20, () => seen("ss -Htln sport = 3000 | grep -q ."));
    const visits = neighbour().exec("rm -f /tmp/enough; python3 -", {
      input: `import os, socket, time
count = 0
while not os.path.exists("/tmp/enough"):
    socket.create_connection(("${host().address}", 3000), 5).close()
    count += 1
    time.sleep(0.01)
print(count)`,
    });
    const { stdout } = await apply([`allow 3000/tcp from ${neighbour().address}`]);
    await neighbour().exec("touch /tmp/enough");
    expect(await visits).toMatchObject({ exitCode: 0, stderr: "" });
    expect(Number((await visits).stdout)).toBeGreaterThan(10);
    expect(stdout.indexOf("added")).toBeLessThan(stdout.indexOf("removed"));
    expect(await count(/./)).toBe(1);
  });

  bearsOtherCalls();
  cutsNoMemberOff();
  isSwitchedOnOnTrial();
});
