import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { minutes, seconds } from "../../lab/deadline.ts";
import { bootable } from "../bootable.ts";
import { type EditedLine, linesOf, ownersText } from "./blocks.ts";
import { type Configuration, configuration, type ForeignEdit, foreignEdits } from "./configuration.ts";
import { debianHaproxy, type Haproxy, suites } from "./haproxy.ts";
import { type HostTool, Refused, startHostTool } from "./host-tool.ts";

/** Random trials, and those of them that real HAProxys see. More: `JTEL_CHAT_TRIALS=5000 JTEL_CHAT_SEED=7 npx vitest …`. */
const trials = Number(process.env.JTEL_CHAT_TRIALS ?? 300);
const seed = Number(process.env.JTEL_CHAT_SEED ?? 1);
const checkedTrials = Math.ceil(trials / 10);
const random = { seed, numRuns: trials };
const patience = minutes + (trials / 10) * seconds;

const runnable = await bootable("what real HAProxys say of edited files");

interface File extends Configuration {
  name: string;
  /** What the refusal says, where the tool has to refuse. */
  refusal?: string;
}

/** The files of a folder of the corpus. A comment `# portal: NAME` in one names its portal, `none` is a stack without WhatsApp. */
const corpus = (folder: string): File[] => {
  const directory = join(import.meta.dirname, "corpus", folder);
  const names = readdirSync(directory).filter((name) => name.endsWith(".cfg"));
  return names.sort().map((name) => {
    const bytes = readFileSync(join(directory, name));
    const text = bytes.toString();
    const named = /# portal: (\S+)/.exec(text)?.[1] ?? (text.includes("acdportal_https") ? "acdportal_https" : "none");
    const refusal = /# refused: (.*?)…?$/m.exec(text)?.[1];
    return { name, bytes, ...(named === "none" ? {} : { portal: named }), ...(refusal ? { refusal } : {}) };
  });
};

const files = corpus("");
const summary: string[] = [`${files.length} files`];
let tool: HostTool;

beforeAll(() => {
  tool = startHostTool();
});

afterAll(() => {
  tool.stop();
  console.log(`haproxy.cfg: ${summary.join("; ")}`);
});

/**
 * Edits a file, and expects that a second edit changes nothing, that a removal gives the file back to the byte, and that no
 * line of its owner's was touched.
 */
const edited = async ({ bytes, portal }: Configuration): Promise<Buffer> => {
  const once = await tool.edit(bytes, portal);
  expect(text(await tool.edit(once, portal))).toBe(text(once));
  expect(text(await tool.remove(once))).toBe(text(bytes));
  expect(text(ownersText(linesOf(once)))).toBe(text(bytes));
  return once;
};

/** Adds a final newline: HAProxy refuses a file without one for that alone, and our block ends with one. */
const withFinalNewline = (config: Buffer): Buffer =>
  config.length === 0 || config.at(-1) === 0x0a ? config : Buffer.concat([config, Buffer.from("\n")]);

const text = (bytes: Buffer): string => bytes.toString("latin1");

/** Makes the same changes in an edited file, and gives with it the owner's own lines, without our blocks. */
const changed = (config: Buffer, edits: ForeignEdit[]): { file: Buffer; owners: Buffer } => {
  const lines = linesOf(config);
  for (const { kind, at, text: content } of edits) {
    const foreign = lines.flatMap(({ ours, carried }, index) => (ours || carried ? [] : [index]));
    const line: EditedLine = { text: `${content}\n`, ours: false, carried: false };
    const places = kind === "insert" ? [...foreign, lines.length] : foreign;
    const index = places[Math.floor(at * places.length)];
    if (index !== undefined) lines.splice(index, kind === "insert" ? 0 : 1, ...(kind === "delete" ? [] : [line]));
  }
  return { file: Buffer.from(lines.map((line) => line.text).join(""), "latin1"), owners: ownersText(lines) };
};

describe("an edit of a customer's haproxy.cfg", { timeout: patience }, () => {
  test.each(files)("keeps $name to the byte, and twice is once", async (file) => {
    await edited(file);
    if (file.portal) await tool.shadowing(file.bytes, file.portal);
  });

  test.each(corpus("refused"))("refuses $name", async ({ bytes, portal, refusal = "" }) => {
    const answer = await tool.edit(bytes, portal).catch((error: unknown) => error);
    expect(answer).toBeInstanceOf(Refused);
    expect(String(answer)).toContain(refusal);
    expect(String(answer)).not.toContain("secret");
  });

  test("keeps random files to the byte, and twice is once", async () => {
    await fc.assert(
      fc.asyncProperty(configuration, async (file) => void (await edited(file))),
      random,
    );
    summary.push(`${trials} random configurations (seed ${seed})`);
  });

  test("leaves no chat section of the customer's in effect beside ours", async () => {
    await fc.assert(
      fc.asyncProperty(configuration, async ({ bytes, portal }) => {
        const lines = text(await tool.edit(bytes, portal)).split("\n"); // a CR ends none
        const effective = lines.filter((line) => !/^\s*#/.test(line)).join("\n");
        for (const header of [/^\s*backend\s+backend_chat_ws\b/gm, /^\s*frontend\s+acdportal_chat_wss?\b/gm])
          expect(effective.match(header)).toHaveLength(1);
        if (portal) expect(effective.match(/^\s*acl whatsapp_req path/gm)).toHaveLength(2);
      }),
      random,
    );
  });

  test("keeps what others change between two edits", async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(configuration, foreignEdits, async ({ bytes, portal }, edits) => {
        const { file, owners } = changed(await tool.edit(bytes, portal), edits);
        expect(text(await tool.remove(file))).toBe(text(owners));
        const again = await tool.edit(file, portal).catch((error: unknown) => {
          if (!(error instanceof Refused)) throw error;
          refused += 1;
        });
        if (!again) return;
        expect(text(await tool.remove(again))).toBe(text(owners));
        expect(text(again)).toBe(text(await edited({ bytes: owners, ...(portal ? { portal } : {}) })));
      }),
      random,
    );
    expect(refused).toBeLessThan(trials / 2);
    summary.push(`${trials} with foreign edits, ${refused} of them refused`);
  });
});

describe.skipIf(!runnable).each(suites)("HAProxy of %s", { timeout: patience }, (suite) => {
  /** Debian 11's HAProxy 2.2 lacks keywords that some of the corpus use, `.if` (since 2.4), and some checks. */
  const old = suite === "bullseye";
  let haproxy: Haproxy;

  beforeAll(async () => {
    haproxy = await debianHaproxy(suite);
  });

  /**
   * Counts the files that HAProxy accepts before our edit, and the further ones that it accepts only after it. What it accepts
   * before, it must accept afterwards.
   */
  const accepted = async (configurations: Configuration[]): Promise<{ before: number; more: number }> => {
    const verdicts = await inLanes(configurations, async (file) => {
      const before = await haproxy.check(withFinalNewline(file.bytes));
      const edited = await tool.edit(file.bytes, file.portal);
      const after = await haproxy.check(edited);
      const shown = `${after.output}\n${text(file.bytes)}\n----- after the edit:\n${text(edited)}`;
      expect(after.accepted || !before.accepted, shown).toBe(true);
      const warns = before.output.includes("[WARNING]");
      expect(warns || !before.accepted || !after.output.includes("[WARNING]"), shown).toBe(true); // for `zero-warning`
      return { before: before.accepted, after: after.accepted };
    });
    return {
      before: verdicts.filter(({ before }) => before).length,
      more: verdicts.filter(({ before, after }) => after && !before).length,
    };
  };

  test("accepts every file of the corpus after the edit that it accepts before", async () => {
    const { before, more } = await accepted(files);
    summary.push(`${before} accepted by HAProxy ${haproxy.version} before and after the edit, ${more} only after it`);
    expect(before).toBeGreaterThan(files.length * (old ? 0.7 : 0.8));
  });

  test.each([
    ...(old
      ? []
      : [
          ["global\n # a \0\ndefaults\n", "Stray NUL character"],
          ["frontend a\n bind :4001-4000\n", "invalid port range"],
        ]),
    ["frontend a\n bind :4000-9999999\n", "invalid port '9999999'"],
    ["\rglobal\n \r maxconn \r 1\r not read\n\rfoo\n", ":3] : unknown keyword 'foo'"],
  ])("refuses %j, and says why", async (config, reason) => {
    const { accepted, output } = await haproxy.check(Buffer.from(config));
    expect(accepted).toBe(false);
    expect(output).toContain(reason);
    expect(output.match(/\[ALERT\].*(parsing|NUL)/g)).toHaveLength(1);
  });

  test("accepts random files after the edit that it accepts before", async () => {
    const read = old ? configuration.filter(({ bytes }) => !/^\s*\.if/m.test(text(bytes))) : configuration;
    const sample = fc.sample(read, { seed, numRuns: checkedTrials });
    const { before, more } = await accepted(sample);
    summary.push(`of ${checkedTrials} random ones ${before} before and after, ${more} only after`);
    expect(before).toBeGreaterThan(checkedTrials / 3);
    expect(before + more).toBe(checkedTrials); // what it refuses in them is what we adopt
  });
});

/** Works on the items with one worker for each core, since every process is short. */
const inLanes = async <Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> => {
  const results: Result[] = [];
  const queue = items.entries();
  const lane = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results;
};
