import { beforeEach, describe, expect, test } from "vitest";
import { apply, count, foreign, host, look, run, tuples, undo } from "./customer.ts";

/** What the customer has opened and closed himself. */
export const leavesRulesOfOthers = (): void => {
  describe("rules of others", () => {
    const customers = [
      "limit 2222/tcp comment 'admins – «ü» $(x) \"y\" %20 #'",
      "deny proto tcp from 10.66.0.0/16 to any port 25",
      "allow log 8443/tcp",
      "allow Portal",
      "reject out 6667/tcp",
      "route allow in on eth0 out on eth0 to 10.9.9.9 port 80 proto tcp",
      "allow from fd00:66::/64 to any port 5432 proto tcp",
      "deny in on eth9 from 10.67.0.0/16",
    ];

    beforeEach(async () => {
      await host().exec("cat > /etc/ufw/applications.d/portal", {
        input: "[Portal]\ntitle=Portal\ndescription=Portal\nports=80,443/tcp\n",
      });
      for (const rule of customers) await run(`ufw ${rule}`);
    });

    test("keep their order, numbers and comments through apply, change and undo", async () => {
      const before = { tuples: await tuples(), numbered: await run("ufw status numbered") };
      expect(await apply(["allow 3000/tcp from 10.1.0.11", "allow 3003/tcp"])).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before.tuples);
      expect(await count(/3000|3003/)).toBe(3);
      expect(await apply(["allow 3000/tcp from 10.1.0.0/24 on eth0"])).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before.tuples);
      expect(await count(/./)).toBe(1);
      expect(await undo()).toMatchObject({ exitCode: 0 });
      expect({ tuples: await tuples(), numbered: await run("ufw status numbered") }).toEqual(before);
    });

    test("a second apply calls ufw not once", async () => {
      await apply(["allow 3003/tcp"]);
      const written = await run("stat -c %y%z /etc/ufw/user.rules /etc/ufw/user6.rules");
      expect((await apply(["allow 3003/tcp"])).stdout.trim()).toBe("nothing to change");
      expect(await run("stat -c %y%z /etc/ufw/user.rules /etc/ufw/user6.rules")).toBe(written);
    });

    test("that say the same serve as they are, one family of them, too", async () => {
      await run("ufw allow proto tcp from 0.0.0.0/0 to any port 3003 comment 'visitors, since 2019'");
      const before = await tuples();
      expect(await apply(["allow 3003/tcp"])).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before);
      expect(await count(/3003 ::\/0 any ::\/0/)).toBe(1);
      expect(await count(/./)).toBe(1);
      await undo();
      expect(await tuples()).toEqual(before);
    });

    test("that come before ours and keep out, or open more, are named and left", async () => {
      await run("ufw deny from 10.1.0.0/24 comment quarantine && ufw allow 5701:5801/tcp");
      const before = await foreign();
      const rules = ["allow 3000/tcp from 10.1.0.11", "allow 5701:5801/tcp from 10.2.0.21"];
      const { warnings, problems } = await look(rules);
      expect(problems).toEqual([]);
      expect(warnings).toEqual([
        expect.stringContaining("'allow 5701:5801/tcp' opens more than 'allow 5701:5801/tcp from 10.2.0.21'"),
        expect.stringContaining("'deny any/any from 10.1.0.0/24' comes before 'allow 3000/tcp from 10.1.0.11'"),
      ]);
      expect(await apply(rules)).toMatchObject({ exitCode: 0 });
      expect(await foreign()).toEqual(before);
    });

    test("that forbid the very same are a problem: ufw would flip them", async () => {
      await run("ufw deny 3003/tcp");
      const before = await tuples();
      expect((await look(["allow 3003/tcp"])).problems[0]).toContain("your rule 'deny 3003/tcp'");
      expect((await apply(["allow 3003/tcp"])).stderr).toContain("Remove yours: ufw delete deny");
      expect(await tuples()).toEqual(before);
    });
  });
};
