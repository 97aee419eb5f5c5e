import { describe, expect, test } from "vitest";
import { addressOf } from "../../../lab/hosts/inventory.ts";
import { apply, file, hostNamed, lab, portalLine, reload, run } from "./customer.ts";

/** What no request from the host itself can show. */
export const saysWhatIsNotProvable = (): void => {
  describe("says what is not provable from its host", () => {
    const loaded = (script: string) => run(`${script}; ${reload}`);

    const said = async (warning: RegExp, options = {}): Promise<void> => {
      const { exitCode, stdout, stderr } = await apply({ options });
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toMatch(warning);
    };

    test("about a bind of one interface, of ours and of the portal", async () => {
      await said(
        /warning: it is not proven that a WebSocket opens through :3004: :3004 takes what arrives by eth0 only/,
        {
          binds: [":3004 interface eth0"],
        },
      );
      await loaded(`sed -i 's/bind :443 ssl/bind :443 interface eth0 ssl/' ${file}`);
      await said(
        /warning: .*not proven from this host that \/incoming and \/delivery .*: :443 takes what arrives by eth0 only/,
      );
    });

    test("about a rule that asks who sends a request, with its line", async () => {
      await loaded(
        `sed -i '/^${portalLine}/a\\\\tacl edge src 192.0.2.0/24\\n\\ttcp-request connection reject if !edge' ${file}`,
      );
      await said(
        /warning: .* \/incoming reach backend_chat_ws: POST .* perhaps line \d+ 'tcp-request connection reject if …' asks who/,
      );
    });

    test("about an address that another host has, which gets no request", async () => {
      const other = addressOf(lab().subnet.replace(/\.0\/.*/, ""), "acd-dbm");
      const neighbour = hostNamed("acd-dbm");
      await neighbour.exec("systemd-run --quiet --unit=portal python3 -u -m http.server 443");
      try {
        await loaded(`sed -i 's/bind :443 ssl/bind ${other}:443 transparent ssl/' ${file}`);
        await said(new RegExp(`warning: .*not proven from this host .*: ${other} is not an address of this host now`));
        const { stdout } = await neighbour.exec("journalctl --unit=portal --output=cat | grep -c code || true");
        expect(stdout.trim()).toBe("0");
      } finally {
        await neighbour.exec("systemctl stop portal");
      }
    });
  });
};
