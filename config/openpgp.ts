import { createHash } from "node:crypto";

const armour =
  /^-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[A-Za-z]+: .*\n)*\n([A-Za-z0-9+/\n]+={0,2})(?:\n=[A-Za-z0-9+/]{4})?\n-----END PGP PUBLIC KEY BLOCK-----$/;

/** Tag of a packet with a public key; those of its subkeys have another one (RFC 9580, 5). */
const publicKey = 6;

/**
 * Gives the fingerprint of an armoured OpenPGP public key (`gpg --armor --export KEY`): 40 upper-case hexadecimal digits, or 64 of
 * a version 6 key. Undefined where the text is something else, or has several keys: apt would trust all of them.
 */
export const fingerprintOf = (text: string): string | undefined => {
  const [, data] = armour.exec(text.replaceAll("\r\n", "\n").trim()) ?? [];
  const keys = data && packets(Buffer.from(data, "base64"))?.filter(({ tag }) => tag === publicKey);
  return keys && keys.length === 1 && keys[0] ? fingerprint(keys[0].body) : undefined;
};

interface Packet {
  tag: number;
  body: Buffer;
}

/** Splits a key into its packets (RFC 9580, 4.2); undefined where the bytes are no packets of known length. */
const packets = (bytes: Buffer): Packet[] | undefined => {
  const found: Packet[] = [];
  for (let rest = bytes; rest.length; ) {
    const head = header(rest);
    const end = head && head.start + head.length;
    if (!end || end > rest.length) return undefined;
    found.push({ tag: head.tag, body: rest.subarray(head.start, end) });
    rest = rest.subarray(end);
  }
  return found;
};

/** Reads a packet's tag, where its body starts, and how long it is. */
const header = (bytes: Buffer): { tag: number; start: number; length: number } | undefined => {
  const [first = 0, second = 0, third = 0] = bytes;
  if (first < 0x80 || bytes.length < 6) return undefined;
  if (first >= 0xc0) {
    const tag = first & 0x3f;
    if (second < 192) return { tag, start: 2, length: second };
    if (second < 224) return { tag, start: 3, length: (second - 192) * 256 + third + 192 };
    return second === 255 ? { tag, start: 6, length: bytes.readUInt32BE(2) } : undefined;
  }
  const tag = (first >> 2) & 0x0f;
  const size = [1, 2, 4][first & 3];
  return size ? { tag, start: 1 + size, length: bytes.readUIntBE(1, size) } : undefined;
};

/** Names a public key by its version's rule (RFC 9580, 5.5.4). */
const fingerprint = (body: Buffer): string | undefined => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const rules = { 4: ["sha1", 0x99, length.subarray(2)], 6: ["sha256", 0x9b, length] } as const;
  const rule = rules[body[0] as keyof typeof rules];
  if (!rule) return undefined;
  const [hash, mark, size] = rule;
  return createHash(hash).update(Buffer.of(mark)).update(size).update(body).digest("hex").toUpperCase();
};
