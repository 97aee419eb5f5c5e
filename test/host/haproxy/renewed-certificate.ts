import { describe, expect, test } from "vitest";
import { until } from "../../../lab/deadline.ts";
import { apply, certificate, observe, pem, run } from "./customer.ts";

/** A certificate that others renew. */
export const noticesRenewedCertificates = (): void => {
  describe("with a renewed certificate", () => {
    test("that HAProxy has not loaded is drift, which a reload heals", async () => {
      await apply();
      await certificate(90);
      const { reason, drifted } = await observe();
      expect(drifted).toBe(true);
      expect(reason).toBe(`certificate ${pem}: changed since HAProxy loaded it`);
      expect((await apply()).stdout).toContain("changed since HAProxy loaded it");
      expect((await observe()).drifted).toBe(false);
      await run(`cat /tmp/certificate >> ${pem}`);
      expect((await observe()).drifted).toBe(true);
    });

    test("that its renewal has had reloaded is no drift", async () => {
      await apply();
      await certificate(90);
      await run("systemctl reload haproxy");
      await until("the renewed certificate", 10, async () => ((await observe()).drifted ? undefined : true));
    });

    test("that ends soon warns", async () => {
      await certificate(10);
      const { exitCode, stdout } = await apply();
      expect(stdout).toMatch(/warning: the certificate .* ends in 10 days/);
      expect(exitCode).toBe(0);
    });

    test("in a directory may be one of several", async () => {
      const directory = "/etc/haproxy/certificates";
      await run(`mkdir -p ${directory}; cp -a ${pem} ${directory}/lab.pem`);
      await certificate(90, "DNS:elsewhere.example");
      await run(`mv ${pem} ${directory}/elsewhere.pem; cp -a /root/haproxy.pem ${pem}`);
      expect((await observe({ fields: { certificate: directory } })).problems).toEqual([]);
      await run(`rm ${directory}/lab.pem`);
      expect((await observe({ fields: { certificate: directory } })).problems).toEqual([
        expect.stringContaining("elsewhere.pem does not serve chat.lab.example"),
      ]);
    });
  });
};
