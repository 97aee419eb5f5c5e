import { afterEach, describe, expect, test } from "vitest";
import { apply, begin, file, lab, observe, reload, run } from "./customer.ts";

/** Settings of the host that decide what HAProxy reads. */
export const isReadAsItWasStarted = (): void => {
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
      await run(`sed -i 's#/etc/haproxy/errors/#errors/#' ${file}; grep 'errorfile.* errors/' ${file}`);
      // HAProxy 2.2 has no default-path: relative names are of its working directory.
      await started(
        lab().release === "bullseye"
          ? "echo 'EXTRAOPTS=\"-S /run/haproxy-master.sock -C /etc/haproxy\"' >> /etc/default/haproxy"
          : `sed -i '0,/^global/s//global\\n\\tdefault-path config/' ${file}`,
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
      await run("sed -i '1i defaults\\n\\tmode http' /etc/haproxy/more/a.cfg");
      await run(reload);
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
};
