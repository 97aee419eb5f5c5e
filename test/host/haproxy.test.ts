import { describe, expect, test } from "vitest";
import { bootable } from "../bootable.ts";
import { knowsTheActiveOne } from "./haproxy/active.ts";
import { isConfigured } from "./haproxy/configured.ts";
import { isCheckedWithoutRights } from "./haproxy/confined.ts";
import { apply, configuration, file, lb1, run } from "./haproxy/customer.ts";
import { isPutBack } from "./haproxy/put-back.ts";
import { isRefused } from "./haproxy/refused.ts";
import { noticesRenewedCertificates } from "./haproxy/renewed-certificate.ts";
import { staysOff } from "./haproxy/standby.ts";
import { isReadAsItWasStarted } from "./haproxy/started-differently.ts";
import { leavesEditsUnloaded } from "./haproxy/unloaded.ts";
import { saysWhatIsNotProvable } from "./haproxy/unprovable.ts";
import { noticesAVanishedServer } from "./haproxy/vanished.ts";
import { worksWithoutMasterSocket } from "./haproxy/without-master-socket.ts";

describe.skipIf(!(await bootable("HAProxy on a booted host")))("HAProxy of a customer", () => {
  isConfigured();
  isRefused();
  isCheckedWithoutRights();
  isPutBack();
  worksWithoutMasterSocket();
  noticesRenewedCertificates();
  knowsTheActiveOne();
  isReadAsItWasStarted();
  leavesEditsUnloaded();
  staysOff();
  saysWhatIsNotProvable();
  noticesAVanishedServer();

  test("undo gives the file back with owner, mode and access list, what others have written since included, and HAProxy runs it", async () => {
    const owner = `stat -c '%a %U:%G' ${file}; getfacl -cp ${file}`;
    await run(`apt-get install --yes --quiet=2 --no-install-recommends acl e2fsprogs >/dev/null
      chmod 640 ${file}; chown root:haproxy ${file}; setfacl -m user:deploy:r ${file}`);
    const [before, owned] = [await configuration(), await run(owner)];
    expect(owned).toContain("user:deploy:r--");
    await apply();
    expect(await run(owner)).toBe(owned);
    await run(`sed -i '1i# since then' ${file}; jtel-chatctl undo haproxy`);
    expect(await configuration()).toBe(`# since then\n${before}`);
    expect(await run(owner)).toBe(owned);
    expect((await lb1().exec("ss -Hltn | grep :3003")).exitCode).not.toBe(0);
  });
});
