import { describe, expect, test } from "vitest";
import { joinAt } from "../../../lab/clients/chat.ts";
import { minutes } from "../../../lab/deadline.ts";
import { installedByHand } from "../../../lab/stand-ins/by-hand.ts";
import { home, unitName } from "../../../render/client-messenger/places.ts";
import { newCustomer } from "../../../survey/new-customer.ts";
import { nobody } from "../../../survey/questions.ts";
import { surveyHost } from "../../../survey/survey-host.ts";
import {
  destroy,
  drift,
  dueRestarts,
  host,
  lab,
  ownedByCustomer,
  problems,
  run,
  said,
  starts,
  status,
  system,
  up,
  warnings,
} from "./server.ts";

/** A server on which a person has followed the vendor's page. */
export const adoptsInstallationByHand = (): void => {
  describe("an installation by hand", () => {
    let byHand: string;

    const installByHand = async (): Promise<void> => {
      const { exitCode, stderr } = await run(installedByHand(lab().database.password));
      expect(exitCode, stderr).toBe(0);
    };

    /** What a new stack would have it be: chat goes on until somebody wants it restarted. */
    const isProposed = async (): Promise<void> => {
      const { name, address, hostKey } = host();
      const role = ["loadBalancer" as const];
      const entry = { customer: "acme", name, address, hostKey, port: 22, roles: role, user: "deploy" };
      const { text } = await newCustomer({
        ...{ customer: "acme", entries: [entry], given: { scheme: "https", publicHost: "chat.acme.example" } },
        ...{ questions: nobody, say: () => {}, survey: surveyHost },
      });
      expect(text).toContain(`topology: lb-hosted # chat runs there already`);
      expect(text).toContain(`hostKey: ${hostKey}`);
      expect(text).toMatch(/clientMessenger:\n\s+restart: hold #/);
    };

    /** What a survey says of it, over ssh: nothing is installed for that, and no password is told. */
    const isSurveyed = async (): Promise<void> => {
      const { name, address, hostKey } = host();
      const entry = { customer: "acme", name, address, hostKey, port: 22, roles: [] };
      const { facts, problem } = await surveyHost({ ...entry, user: "deploy" });
      expect(problem).toBeUndefined();
      expect(facts).toMatchObject({
        ...{ root: true, jtel: true, owner: "", unread: [], share: { mounted: true, release: true, hazelcast: true } },
        chat: { unit: "by hand", active: true, database: { host: "acd-dbm", name: "JTELWeb", user: "root" } },
        ports: expect.arrayContaining([{ port: 3000, program: "java" }]),
        firewall: { rules: expect.arrayContaining(["allow 5701:5801/tcp"]) },
        deviations: expect.arrayContaining([
          expect.stringContaining("second copy"),
          expect.stringContaining("holds the database password"),
          expect.stringContaining("are open to everybody"),
        ]),
      });
      expect(JSON.stringify(facts)).not.toContain(encodeURIComponent(lab().database.password).slice(0, 8));
    };

    test(
      "is taken over without a restart where the stack file holds it: the process and its WebSockets go on",
      async () => {
        await installByHand();
        expect((await status()).database).toBe("ok");
        byHand = await ownedByCustomer();
        const pid = await said(`systemctl show --value -p MainPID ${unitName}`);
        const visitor = await joinAt(`ws://${host().address}:3000`, { role: "visitor", name: "Grete" });
        await isSurveyed();
        await isProposed();
        expect(await dueRestarts()).toEqual(["it was started before it was managed"]);

        expect(await up({ restart: "hold" })).toContain("restart owed: ");
        expect(await said(`systemctl show --value -p MainPID ${unitName}`)).toBe(pid);
        visitor.say("Is anybody there?");
        await visitor.hears("Is anybody there?");
        await visitor.leave();
        expect((await warnings({ restart: "hold" })).join()).toContain("it was started before it was managed");
        expect(await drift()).toEqual([]);
      },
      5 * minutes,
    );

    test(
      "is adopted: nothing of it is lost, the nested copy is named, chat restarts once",
      async () => {
        const before = await starts();
        const warned = (await warnings()).join("\n");
        expect(warned).toContain(`${home}/ClientMessenger is a second copy (release `);
        expect(warned).toContain(`${home}/systemd/${unitName} holds a password`);
        expect(await problems()).toEqual([]);
        await up();
        expect(await starts()).toBe(before + 1);
        expect((await status()).database).toBe("ok");
        const kept = byHand
          .split("\n")
          .filter((line) => !/hazelcast\.xml|updatesc\.sh|\/usr\/local\/bin|\/etc\/systemd/.test(line));
        const now = (await ownedByCustomer()).split("\n");
        for (const line of kept.filter((each) => !each.startsWith(`${home} `))) expect(now).toContain(line);
        expect(await said(`stat -c %a ${system}; ls -d ${system}.d 2>/dev/null; true`)).toBe("644");
        const shown = await said(
          `systemctl show ${unitName}; systemctl cat ${unitName}; ps axww; jtel-chatctl diff; jtel-chatctl status`,
        );
        expect(shown).not.toContain(encodeURIComponent(lab().database.password).slice(0, 8));
        expect(await drift()).toEqual([]);
      },
      5 * minutes,
    );

    test(
      "is given back by a destroy, and runs again as it did",
      async () => {
        await destroy();
        expect(await ownedByCustomer()).toBe(byHand);
        expect(await said("ls /etc/systemd/system | grep -c attest; true")).toBe("0");
        expect((await status()).database).toBe("ok");
        await run(
          `ufw delete allow 3000/tcp; ufw delete allow 5701:5801/tcp
          systemctl disable --now ${unitName}; rm -rf ${home} ${system} /usr/local/bin/updatesc.sh; systemctl daemon-reload`,
        );
      },
      3 * minutes,
    );
  });
};
