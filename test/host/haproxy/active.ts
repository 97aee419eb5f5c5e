import { afterEach, describe, expect, test } from "vitest";
import { minutes, until } from "../../../lab/deadline.ts";
import { lab, lb1, observe, run } from "./customer.ts";

/** Which of several load balancers carries the traffic. */
export const knowsTheActiveOne = (): void => {
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
        const virtual = lab().subnet.replace(/\.0\/.*/, ".10/24");
        const instance = `interface eth0\nvirtual_router_id 7\npriority 100\nvirtual_ipaddress {\n${virtual}\n}`;
        await run(`${elsewhere}; apt-get install --yes --quiet=2 --no-install-recommends keepalived >/dev/null`);
        await lb1().exec("cat > /etc/keepalived/keepalived.conf", {
          input: `vrrp_instance portal {\n${instance}\n}\n`,
        });
        await run("systemctl restart keepalived");
        await until("the virtual address", 20, async () => ((await active()) ? true : undefined));
        await run("systemctl stop keepalived");
        expect(await active()).toBe(false);
      },
      3 * minutes,
    );
  });
};
