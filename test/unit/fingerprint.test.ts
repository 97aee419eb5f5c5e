import { expect, test } from "vitest";
import { fingerprint } from "../../hosts/fingerprint.ts";

const long = "x".repeat(300 * 1024);

test("a fingerprint is 16 hexadecimal digits, or an error that names the host", () => {
  expect(fingerprint("chatserver1", "messenger-secret", "waited\n/etc/x 0123456789abcdef\n")).toBe("0123456789abcdef");
  for (const said of ["", "absent", "0123456789ABCDEF", "0123456789abcdef0", "0123456789abcdef\u001b[2J", long])
    expect(() => fingerprint("chatserver1", "messenger-secret", said)).toThrow(
      /^chatserver1: messenger-secret ended without the fingerprint[^\p{C}]{1,300}$/u,
    );
});
