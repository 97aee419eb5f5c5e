import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** Where a host is reached. */
export interface Place {
  address: string;
  port: number;
}

/** Types of keys in the order in which they are preferred. */
const types = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/** The files in which ssh keeps keys that somebody has accepted. */
const knownHosts = [join(homedir(), ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"];

/** The key that known_hosts has of a host, as a stack file pins it: `ssh-ed25519 AAAA…`; undefined where it has none. */
export const knownKey = async ({ address, port }: Place, files = knownHosts): Promise<string | undefined> => {
  const name = port === 22 ? address : `[${address}]:${port}`;
  const found: string[] = [];
  for (const file of files.filter((each) => existsSync(each))) {
    const { stdout } = await execa("ssh-keygen", ["-F", name, "-f", file], { reject: false });
    found.push(...keysIn(stdout));
  }
  return preferred(found);
};

/**
 * The key that a host offers to anybody who asks, the preferred one of several; undefined where nothing answers within 5 s.
 *
 * Nothing vouches for it: a person compares its fingerprint with the one on the host's console.
 */
export const offeredKey = async (place: Place): Promise<string | undefined> => preferred(await offeredKeys(place));

/** All keys that a host offers, one of each type. */
export const offeredKeys = async ({ address, port }: Place): Promise<string[]> => {
  const argv = ["-T", "5", "-p", String(port), "-t", "ed25519,ecdsa,rsa", "--", address];
  const { stdout } = await execa("ssh-keyscan", argv, { reject: false, timeout: 20_000, maxBuffer: 64 * 1024 });
  return keysIn(String(stdout ?? ""));
};

/** The fingerprint as ssh-keygen -l prints it: `SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU`. */
export const keyFingerprint = (hostKey: string): string => {
  const blob = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
};

/** Keys behind the names in lines of known_hosts(5). Lines with a marker (`@revoked`) have none there. */
const keysIn = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => {
      const [, type = "", key = ""] = line.trim().split(/\s+/);
      return types.includes(type) && /^[A-Za-z0-9+/]+=*$/.test(key) ? [`${type} ${key}`] : [];
    });

const preferred = (keys: string[]): string | undefined =>
  types.flatMap((type) => keys.filter((key) => key.startsWith(`${type} `)))[0];
