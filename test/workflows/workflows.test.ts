import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { actionlint } from "./actionlint.ts";
import { actionsOf, pathOf, script, scripts, textOf, workflows } from "./steps.ts";

const atGitHub = workflows.filter((file) => file.startsWith("github"));
const checkout = new URL("../../", import.meta.url);

describe("the workflows", () => {
  test("are what actionlint takes", async () => {
    // `queue: max` is newer than actionlint 1.7.12.
    const options = ["-shellcheck=", "-ignore", 'unexpected key "queue" for "concurrency" section'];
    const { all } = await execa(await actionlint(), [...options, ...atGitHub.map(pathOf)], {
      all: true,
      reject: false,
    });
    expect(all).toBe("");
  });

  test.each(atGitHub)("%s pins every action by its commit, and gives nobody more than it says", (file) => {
    for (const action of actionsOf(file))
      expect(action).toMatch(/@[0-9a-f]{40}$|^\.\/\.github\/workflows\/[\w-]+\.yaml$/);
    expect(textOf(file)).toMatch(/^permissions: \{\}$/m);
    for (const [, rights] of textOf(file).matchAll(/^ +permissions: (.*)$/gm))
      expect(rights).toMatch(/^\{ contents: read(, pull-requests: write)? \}$/);
    expect(textOf(file).match(/pull-requests: write/g)?.length ?? 0).toBe(file.endsWith("preview.yaml") ? 1 : 0);
  });

  test.each(scripts)("$name runs commands of the project, with options that they have", async ({ text }) => {
    const { scripts: commands } = JSON.parse(await readFile(new URL("package.json", checkout), "utf8"));
    for (const [, command = "", argv = ""] of text.matchAll(/npm run (?:--silent )?([\w-]+) --(.*)/g)) {
      const source = /node (cli\/\w+\.ts)$/.exec(commands[command])?.[1];
      expect(source, command).toBeDefined();
      const usage = await readFile(new URL(source ?? "", checkout), "utf8");
      for (const [option] of argv.matchAll(/--[a-z-]+/g)) expect(usage, command).toContain(option);
    }
  });

  test("apply nothing that a pull request's job has written", () => {
    const applying = scripts.filter(({ text }) => text.includes("npm run apply"));
    expect(applying).toHaveLength(2);
    for (const { text } of applying) expect(text).toContain('--approved "$DIGEST"');
    for (const file of workflows.filter((each) => textOf(each).includes("npm run apply")))
      expect(textOf(file)).not.toMatch(/download-artifact|pull_request|TRIGGER_PAYLOAD/);
  });

  test("look with the observer's account wherever a pull request's files are", () => {
    const observing = scripts.filter(({ text }) => /touched.*--take|npm run drift/.test(text));
    expect(observing.length).toBeGreaterThan(3);
    for (const file of ["github/preview.yaml", "github/drift.yaml", "gitlab/gitlab-ci.yml"]) {
      expect(textOf(file)).toContain("JTEL_CHAT_OBSERVE_USER: observer");
      expect(textOf(file)).not.toContain("DEPLOY_SSH_KEY");
    }
  });
});

describe("a workflow's shell", () => {
  let directory: string;
  afterEach(() => rm(directory, { recursive: true }));

  /** npm, git and the agent as a script sees them: npm writes down its arguments, and reports what it is told. */
  const fakes: Record<string, string> = {
    npm: `echo "$*" >> npm.log
      while [ $# -gt 0 ]; do
        case $1 in
        touched) printf '%s\\n' "$FAKE_TOUCHED" ;;
        report) status=$FAKE_STATUS ;;
        --json) [ "$FAKE_REPORT" ] && echo "$FAKE_REPORT" > "$2" ;;
        --markdown) echo "### acme" > "$2" ;;
        esac
        shift
      done
      exit "\${status:-0}"`,
    git: `echo "$*" >> git.log`,
    "ssh-agent": `[ "$1" = -k ] && echo ended >> agent.log || echo "SSH_AUTH_SOCK=$PWD/agent; export SSH_AUTH_SOCK;"`,
    "ssh-add": `cat > key`,
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "jtel-chat-workflow-"));
    await mkdir(join(directory, "bin"));
    for (const [name, text] of Object.entries(fakes)) {
      await writeFile(join(directory, "bin", name), `#!/bin/bash\n${text}\n`);
      await chmod(join(directory, "bin", name), 0o755);
    }
    const payload = { object_attributes: { iid: 7, last_commit: { id: "b".repeat(40) } } };
    await writeFile(join(directory, "payload.json"), JSON.stringify(payload));
    await writeFile(join(directory, "key-file"), "k3y");
  });

  const run = async (name: string, environment: Record<string, string> = {}) => {
    const { exitCode, all } = await execa("bash", ["-e", "-c", script(name)], {
      ...{ cwd: directory, reject: false, all: true, extendEnv: false },
      env: {
        ...{ PATH: `${directory}/bin:${process.env.PATH}`, FAKE_STATUS: "0", FAKE_REPORT: "", FAKE_TOUCHED: "" },
        ...{ GITHUB_OUTPUT: "output", GITHUB_STEP_SUMMARY: "summary", SSH_KEY: "k3y", STACK: "acme" },
        ...{ NUMBER: "7", BASE: "a".repeat(40), HEAD: "b".repeat(40), CI_COMMIT_SHA: "a".repeat(40) },
        ...{ TRIGGER_PAYLOAD: "payload.json", SSH_KEY_FILE: "key-file" },
        ...environment,
      },
    });
    expect(all).not.toContain("k3y");
    const written = async (file: string) => readFile(join(directory, file), "utf8").catch(() => "");
    return { failed: exitCode !== 0, said: String(all), npm: (await written("npm.log")).trim().split("\n"), written };
  };

  const digest = "0123456789abcdef".repeat(4);
  const approvable = JSON.stringify({ approval: { digest } });
  const refused = JSON.stringify({ approval: { refused: "there are problems" } });

  test.each([
    ["0", false],
    ["1", true],
    ["2", false],
    ["3", true],
  ])("previews, and fails for exit code %s: %s", async (status, failed) => {
    const result = await run("github/preview.yaml preview: preview", { FAKE_STATUS: status });
    expect(result.failed).toBe(failed);
    expect(result.npm).toEqual(["run report -- --stack acme --json report-acme.json --markdown report.md"]);
    expect(await result.written("summary")).toBe("### acme\n");
    expect(await result.written("agent.log")).toBe("ended\n");
  });

  test.each(["github/deploy-stack.yaml report: report", "gitlab/stack.yml report acme"])(
    "%s gives on the digest, where there is something to apply",
    async (name) => {
      const outcome = async (environment: Record<string, string>) => {
        const { failed, written } = await run(name, environment);
        return { failed, digest: /=(\w+)/.exec(`${await written("output")}${await written("digest.env")}`)?.[1] };
      };
      expect(await outcome({ FAKE_STATUS: "0", FAKE_REPORT: approvable })).toEqual({
        failed: false,
        digest: undefined,
      });
      expect(await outcome({ FAKE_STATUS: "2", FAKE_REPORT: refused })).toEqual({ failed: true, digest: undefined });
      expect(await outcome({ FAKE_STATUS: "1", FAKE_REPORT: approvable })).toEqual({ failed: true, digest: undefined });
      expect(await outcome({ FAKE_STATUS: "3", FAKE_REPORT: refused })).toEqual({ failed: true, digest: undefined });
      expect(await outcome({ FAKE_STATUS: "2", FAKE_REPORT: approvable })).toEqual({ failed: false, digest });
    },
  );

  test.each(["github/deploy-stack.yaml apply: apply", "gitlab/stack.yml apply acme"])("%s", async (name) => {
    const { npm, failed } = await run(name, { DIGEST: digest });
    expect({ npm, failed }).toEqual({ npm: [`run apply -- --stack acme --approved ${digest}`], failed: false });
  });

  test("comments on what there is, and names what should be there", async () => {
    const name = "github/preview.yaml comment: comment";
    const none = await run(name, { STACKS: "[]" });
    expect(none.npm.at(-1)).toBe(`run comment -- --commit ${"b".repeat(40)}`);
    await mkdir(join(directory, "reports"));
    await writeFile(join(directory, "reports/acme.json"), "{}");
    const two = await run(name, { STACKS: '["acme","bistro"]' });
    expect(two.npm.at(-1)).toBe(
      `run comment -- --stack=acme --stack=bistro --commit ${"b".repeat(40)} reports/acme.json`,
    );
  });

  test("previews at GitLab with the program of the protected branch, and comments", async () => {
    const touched = 'stacks=["acme","bistro"]\nperson=false';
    const preview = await run("gitlab/gitlab-ci.yml preview", {
      FAKE_TOUCHED: touched,
      FAKE_STATUS: "2",
      FAKE_REPORT: "{}",
    });
    expect(preview.failed).toBe(false);
    expect(preview.npm.slice(1)).toEqual([
      `run --silent touched -- --base ${"a".repeat(40)} --head ${"b".repeat(40)} --take`,
      "run report -- --stack acme --json reports/acme.json",
      "run report -- --stack bistro --json reports/bistro.json",
    ]);
    expect(await preview.written("git.log")).not.toContain("checkout");
    const { npm } = await run("gitlab/gitlab-ci.yml comment");
    expect(npm.at(-1)?.split(" ").sort()).toEqual(
      `run comment -- --pull-request 7 --commit ${"b".repeat(40)} --stack=acme --stack=bistro reports/acme.json reports/bistro.json`
        .split(" ")
        .sort(),
    );
  });

  test("waits at GitLab for a person, whose start previews the merge request's program", async () => {
    const environment = { FAKE_TOUCHED: 'stacks=["acme"]\nperson=true', FAKE_STATUS: "3" };
    const preview = await run("gitlab/gitlab-ci.yml preview", environment);
    expect({ failed: preview.failed, npm: preview.npm.length }).toEqual({ failed: false, npm: 1 });
    const started = await run("gitlab/gitlab-ci.yml preview the program", environment);
    expect(started.failed).toBe(true);
    expect(await started.written("git.log")).toContain(`checkout --quiet --detach ${"b".repeat(40)}`);
    expect(started.npm.at(-1)).toBe("run report -- --stack acme --json reports/acme.json");
  });
});
