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

    test("of one day is good, since it is new", async () => {
      await certificate(1);
      const { exitCode, stdout } = await apply();
      expect(stdout).not.toMatch(/ends in/);
      expect(exitCode).toBe(0);
    });

    test("that is gone stops nothing that needs no reload", async () => {
      await apply();
      await run(`rm ${pem}`);
      const { problems, warnings } = await observe();
      expect(problems).toEqual([]);
      expect(warnings).toEqual([expect.stringContaining(`${pem} is missing`)]);
    });

    test("for each key type is read where HAProxy reads it, and what it serves is no drift", async () => {
      await run(`mv ${pem} ${pem}.rsa; systemctl restart haproxy`);
      const { exitCode, stderr } = await apply();
      expect(exitCode, stderr).toBe(0);
      expect(await observe()).toMatchObject({ drifted: false, problems: [], warnings: [] });
      await run(`rm ${pem}.rsa`);
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
