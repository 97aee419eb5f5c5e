import { expect, test } from "vitest";
import { fingerprintOf } from "../../config/openpgp.ts";

const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const end = "-----END PGP PUBLIC KEY BLOCK-----";

/** An ed25519 key of version 4, as gpg exports it: primary key, user, signature. */
const key = `\
mDMEawfcjhYJKwYBBAHaRw8BAQdA64eakFIZHXsUvK7j2qRgbx5ISllmFf61Bgmy
4WTDzIq0Fm9uZSA8b25lQGFjbWUuZXhhbXBsZT6IkAQTFggAOBYhBNDq8COQaiAe
SPVc7WK3CDq7PkQIBQJrB9yOAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ
EGK3CDq7PkQI65AA/0FTUK9VYnVhEtoNFfVd0LU/dWl/NBUrcK1uIliBiRllAPsG
zKkx1LqpmHMWPXLxnKhV+RrSQX1W4YEEz+sJKa+UCg==`;
const checksum = "=9zxC";
const fingerprint = "D0EAF023906A201E48F55CED62B7083ABB3E4408";

const armoured = (data: string, ...headers: string[]) => [begin, ...headers, "", data, checksum, end, ""].join("\n");

const bytes = Buffer.from(key, "base64");
const encoded = (...parts: Buffer[]) => armoured(Buffer.concat(parts).toString("base64"));

test("a key has the fingerprint that gpg prints", () => {
  expect(fingerprintOf(armoured(key))).toBe(fingerprint);
  expect(fingerprintOf(armoured(key, "Comment: Acme, packages"))).toBe(fingerprint);
  expect(fingerprintOf(armoured(key).replaceAll("\n", "\r\n"))).toBe(fingerprint);
  expect(fingerprintOf(armoured(key).replace(`${checksum}\n`, ""))).toBe(fingerprint);
});

test("a packet may have a header of the newer form, and a length of one, two or five bytes", () => {
  const body = bytes.subarray(2, 2 + (bytes[1] ?? 0));
  const one = Buffer.concat([Buffer.of(0xc6, body.length), body]);
  const five = Buffer.concat([Buffer.of(0xc6, 255, 0, 0, 0, body.length), body]);
  const user = Buffer.concat([Buffer.of(0xcd, 192, 8), Buffer.alloc(200)]);
  expect(fingerprintOf(encoded(one, user))).toBe(fingerprint);
  expect(fingerprintOf(encoded(five, user))).toBe(fingerprint);
});

test("a key of version 6 has 64 digits", () => {
  const body = Buffer.concat([Buffer.of(6), Buffer.alloc(40)]);
  expect(fingerprintOf(encoded(Buffer.of(0xc6, body.length), body))).toMatch(/^[0-9A-F]{64}$/);
});

test.each([
  ["two keys in one block", encoded(bytes, bytes)],
  ["two blocks", armoured(key) + armoured(key)],
  ["a second key behind the padding", armoured(`${key}\n${key}`)],
  ["something before the block", `x\n${armoured(key)}`],
  ["a cut key", encoded(bytes.subarray(0, -1))],
  ["a packet whose length is not told", encoded(Buffer.of(0xc6, 0xe1, 0, 0, 0, 0, 0))],
  ["no packets", armoured("aGVsbG8=")],
  ["a key of version 3", encoded(Buffer.of(0xc6, 6, 3, 0, 0, 0, 0, 0))],
  ["a secret key", armoured(key).replaceAll("PUBLIC", "PRIVATE")],
  ["nothing", ""],
])("%s is no key", (_, text) => {
  expect(fingerprintOf(text)).toBeUndefined();
});
