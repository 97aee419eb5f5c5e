import { execa } from "execa";
import { type HostFacts, hostFacts } from "../../survey/found.ts";
import type { Entry } from "../../survey/inventory.ts";
import type { Surveyed } from "../../survey/survey-host.ts";

export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAM";

/** A host of the customer acme, as an inventory has it. */
export const entry = (name: string, address = "10.1.0.11"): Entry => ({
  ...{ customer: "acme", name, address, user: "deploy", port: 22, roles: [] },
});

/** What a bare Debian host says of itself. */
export const facts = (change: object = {}): HostFacts =>
  hostFacts.parse({
    ...{ format: 1, root: true, name: "x", system: "debian 12", resources: { memory: 8.2, cores: 2, disk: 40 } },
    ...{ interfaces: { "10.1.0.11": "eth0" }, packages: { ufw: "0.36.2-1" }, jtel: true, owner: "", haproxy: null },
    share: { path: "/home/jtel/shared", mounted: true, release: true, hazelcast: true },
    chat: { installed: false, unit: "none", active: false, database: null, data: "" },
    ...{ firewall: { active: true, rules: [] }, ports: [], deviations: [], unread: [] },
    ...change,
  });

/** A host that was seen, with its key. */
export const surveyed = (name: string, change: Record<string, unknown>): Surveyed => {
  const haproxy = change.haproxy as { frontends: object[] } | undefined;
  const complete = haproxy && {
    ...{ active: true, managed: false, chatServers: [], certificates: [], ...haproxy },
    frontends: haproxy.frontends.map((each) => ({ ports: [], tls: false, certificates: [], ...each })),
  };
  return { entry: entry(name), hostKey, facts: facts({ ...change, ...(complete && { haproxy: complete }) }) };
};

/** A certificate for these names, as PEM, of 30 days. */
export const selfSigned = async (...names: string[]): Promise<string> => {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
  const alternative = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
  const argv = ["req", "-x509", ...key, "-subj", "/CN=x", "-addext", alternative, "-days", "30"];
  return (await execa("openssl", argv)).stdout;
};
