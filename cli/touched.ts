/** `npm run touched -- --base COMMIT --head COMMIT`: the stacks that a pull request touches, and whether a person has to look first. */
import { writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { execa } from "execa";
import { load as parseYaml } from "js-yaml";
import { isStack, otherLineEnds } from "../config/offline.ts";
import { commandLine } from "./command-line.ts";
import { failWith } from "./fail.ts";

const usage = `npm run touched -- --base COMMIT --head COMMIT [--take]

Prints two lines for CI: stacks=["acme"], and person=true where somebody has to read the commits before anything of them runs
with a stack's secrets: they change the program, or where a stack file's secrets go.  Why is on standard error.

--take  also writes the head's stack files into this checkout, whose program is the base's.  Refused where person=true.
Exit code: 0, or 1 for an error and for a --take that is refused.`;

/** Changes that no preview runs or reads. */
const harmless = /^(?:docs|examples)\/|^[^/]+\.md$/;

/** The stack that a file of the project's root configures; undefined for another file. */
export const stackOf = (file: string): string | undefined =>
  /^Pulumi\.([A-Za-z0-9_][A-Za-z0-9._-]*)\.yaml$/.exec(file)?.[1];

/**
 * Why a person has to read a change of a stack file before it meets the stack's secrets; undefined where it only sets other values.
 *
 * Encrypted values have to stay where they are, byte for byte: in another place, the program would show them. TynTec's key goes to
 * the URL beside it, also in a preview. Everything outside `config` decides how Pulumi decrypts.
 */
export const whyPerson = (before: string | undefined, after: string | undefined): string | undefined => {
  if (after === undefined) return "is removed";
  const [old, now] = [parsed(before ?? "{}"), parsed(after)];
  if (!old || !now) return "is no plain YAML (anchors, tags, doubled keys and unusual line ends are not plain)";
  if (!isDeepStrictEqual(guarded(old), guarded(now))) return "changes secrets, or where they go";
  return undefined;
};

type StackFile = Record<string, unknown>;

/** js-yaml and Pulumi have to read the same: nothing that either may take for something else. */
const parsed = (text: string): StackFile | undefined => {
  if (otherLineEnds.test(text)) return undefined;
  const withoutComments = text.replaceAll(/^[ \t]*#.*/gm, "");
  if (/(?:^|[\s,[{:-])[&*!]|<<|^%/m.test(withoutComments)) return undefined;
  try {
    const value = parseYaml(text);
    return typeof value === "object" && value !== null ? (value as StackFile) : undefined;
  } catch {
    return undefined;
  }
};

/** What may not change unread. */
const guarded = ({ config, ...others }: StackFile) => {
  const values = Object.entries((config ?? {}) as StackFile);
  return {
    others,
    foreign: values.filter(([key]) => !key.startsWith("jtel-chat:")),
    tyntec: values.filter(([key]) => key === "jtel-chat:tyntec"),
    secrets: values.flatMap(([key, value]) => secretsIn([key], value)).sort(),
  };
};

/** `["jtel-chat:database","password","v1:…"]` for each encrypted value. */
const secretsIn = (path: string[], value: unknown): string[] => {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === "secure" ? [JSON.stringify([...path, each])] : secretsIn([...path, key], each),
  );
};

const git = async (...argv: string[]): Promise<string> =>
  (await execa("git", argv, { stripFinalNewline: false })).stdout;

/** A file's text at a commit; undefined where it is not there. */
const textAt = (commit: string, file: string): Promise<string | undefined> =>
  git("show", `${commit}:${file}`).catch(() => undefined);

const names = (list: string): string[] => list.split("\0").filter(Boolean);

const main = async (): Promise<void> => {
  const { values } = commandLine(usage, {
    options: { base: { type: "string" }, head: { type: "string" }, take: { type: "boolean" } },
  });
  if (![values.base, values.head].every((commit) => /^[0-9a-f]{40,64}$/.test(commit ?? ""))) throw new Error(usage);
  const [base, head] = [values.base as string, values.head as string];
  const from = (await git("merge-base", base, head)).trim();
  const files = names(await git("diff", "--name-only", "--no-renames", "-z", from, head)).filter(
    (file) => !harmless.test(file),
  );
  const program = files.filter((file) => !stackOf(file));
  const changed = files.filter((file) => stackOf(file));
  const stackFiles = await Promise.all(
    changed.map(async (file) => ({ file, before: await textAt(base, file), after: await textAt(head, file) })),
  );
  const reasons = [
    ...program.map((file) => `${JSON.stringify(file)} may be part of the program`),
    ...stackFiles.flatMap(({ file, before, after }) => {
      const why = whyPerson(before, after);
      return why ? [`${file} ${why}`] : [];
    }),
  ];
  const there = names(await git("ls-tree", "--name-only", "-z", head)).filter((file) => stackOf(file));
  const stacks = await Promise.all(
    there.map(async (file) => (isStack((await textAt(head, file)) ?? "") ? [file] : [])),
  );
  const previewed = stacks.flat().filter((file) => program.length || changed.includes(file));
  for (const reason of reasons) console.error(`a person has to look first: ${reason}`);
  console.log(
    `stacks=${JSON.stringify(previewed.flatMap((file) => stackOf(file) ?? []))}\nperson=${reasons.length > 0}`,
  );
  if (!values.take) return;
  if (reasons.length) throw new Error("--take: refused, since a person has to look first");
  for (const { file, after } of stackFiles) await writeFile(file, after ?? "");
};

if (import.meta.main) main().catch(failWith);
