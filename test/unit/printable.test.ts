import { expect, test } from "vitest";
import { printable } from "../../hosts/printable.ts";

test("nothing that a terminal or a reader obeys is shown", () => {
  for (const character of ["\u001b", "\u0007", "\r", "\u009b", "\u202e", "\u2066", "\u2028", "\u200b", "\ufeff"])
    expect(printable(`a${character}b`)).toBe("a?b");
  expect(printable("ä €, 漢字 😀 – „x“")).toBe("ä €, 漢字 😀 – „x“");
});

test("lines become one, also those that ssh ends with CR LF", () => {
  expect(printable("Connection closed.\r\n  by 10.1.0.11\n\nport 22")).toBe("Connection closed. by 10.1.0.11 port 22");
});

test("a long text from a host is cut", () => {
  expect(printable("x".repeat(1000))).toHaveLength(400);
});
