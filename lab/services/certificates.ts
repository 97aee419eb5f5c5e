import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

const keyOptions = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "365"];

/** The lab's certificate authority: `ca.pem` below `directory`. */
export const ensureAuthority = async (directory: string): Promise<string> => {
  const [certificate, key] = [join(directory, "ca.pem"), join(directory, "ca.key")];
  if (existsSync(certificate)) return certificate;
  await mkdir(directory, { recursive: true });
  await execa("openssl", [
    "req",
    "-x509",
    ...keyOptions,
    "-subj",
    "/CN=jtel lab CA",
    "-keyout",
    key,
    "-out",
    certificate,
  ]);
  return certificate;
};

/**
 * A server certificate of the lab's authority, as HAProxy wants it: one 0600 PEM file with certificate, chain and key.
 * @param names as openssl writes them: `DNS:chat.lab.example`, `IP:10.77.1.11`
 * @returns the file's path, `<name>.pem` below `directory`
 */
export const ensureCertificate = async (directory: string, name: string, names: string[]): Promise<string> => {
  const pem = join(directory, `${name}.pem`);
  if (existsSync(pem)) return pem;
  const authority = await ensureAuthority(directory);
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const issuer = ["-CA", authority, "-CAkey", join(directory, "ca.key")];
  const extensions = [
    `subjectAltName=${names.join(",")}`,
    "basicConstraints=critical,CA:FALSE",
    "extendedKeyUsage=serverAuth",
  ];
  const subject = [
    "-subj",
    `/CN=${names[0]?.replace(/^\w+:/, "")}`,
    ...extensions.flatMap((each) => ["-addext", each]),
  ];
  await execa("openssl", ["req", "-x509", ...keyOptions, ...issuer, ...subject, "-keyout", key, "-out", certificate]);
  // openssl makes key files 0600; appending to a copy keeps that.
  await copyFile(key, pem);
  for (const part of [certificate, authority]) await appendFile(pem, await readFile(part));
  return pem;
};
