import { describe, expect, test } from "vitest";
import { until } from "../../../lab/deadline.ts";
import {
  apply,
  type Change,
  certificate,
  configuration,
  file,
  lb1,
  observe,
  pem,
  portalLine,
  run,
  sections,
  unseen,
  workers,
} from "./customer.ts";

/** What stops an apply before it writes. */
export const isRefused = (): void => {
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
      await until("crm", 10, async () => (await lb1().exec("ss -Hltn | grep :3004")).exitCode === 0 || undefined);
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
      await run(`sed -i '/^${portalLine}/a\\\\thttp-request deny if { path /delivery }' ${file}; ${unseen}`);
      await refused(
        /line \d+ 'http-request deny .*' answers \/delivery before our rules are looked at .*Except them there/,
      );
    });

    test("when the host lacks an address", () =>
      refused(/no interface of this host has the address 192\.0\.2\.9/, { options: { binds: ["192.0.2.9:3004"] } }));

    test.each(["chroot /var/lib/nowhere", "user nobody-here"])(
      "with '%s', on which HAProxy would end",
      async (line) => {
        await run(`sed -i 's#^\\t${line.split(" ")[0]} .*#\\t${line}#' ${file}; ${unseen}`);
        await refused(new RegExp(`'${line}' \\(global\\) does not exist on this host: HAProxy would end`));
      },
    );

    test("when the customer's part is wrong already, with what HAProxy says of it", async () => {
      await run(`sed -i 's/default_backend .*/default_backend nowhere/' ${file}; ${unseen}`);
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

    test("when the certificate has ended", async () => {
      await run(`cd /tmp && openssl req -new -newkey rsa:2048 -nodes -subj /CN=chat -keyout key -out request 2>/dev/null
        past='-not_before 20200101000000Z -not_after 20200102000000Z' # OpenSSL 3.5 takes no negative -days, 3.0 not these
        for ended in '-days -1' "$past"; do openssl x509 -req -in request -signkey key $ended -out certificate 2>/dev/null && break; done; cat certificate key > ${pem}`);
      await refused(/haproxy\.pem is not usable: certificate has expired.*Renew it/);
    });

    test("when the customer binds an address that the host lacks, which no checker sees", async () => {
      const late = "frontend late\\n\\tbind 192.0.2.9:8443\\n\\tdefault_backend backend_acdportal\\n";
      await run(`printf '${late}' >> ${file}; ${unseen}`);
      await refused(/'frontend late' binds 192\.0\.2\.9:8443, and no interface of this host has that address/);
    });

    test("when nothing can take the file's place", async () => {
      await run(`chattr +i ${file}`);
      try {
        await refused(/haproxy\.cfg is immutable \(chattr \+i\)/);
      } finally {
        await run(`chattr -i ${file}`);
      }
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
};
