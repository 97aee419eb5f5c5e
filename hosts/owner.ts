import { randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { refusal } from "./look/refusal.ts";

/** Whose the hosts are. */
interface Owner {
  /** Keeps the id in the state. What is written with it depends on it, so that the id leaves the state last. */
  kept: pulumi.Resource;
  /**
   * The stack's name, for people, and the id, for the hosts: `jtel-chat/dev 3f1c2b7a-…`. Known before anything is written; only
   * the preview of a new state has `(made by the first up)` in place of the id.
   *
   * Rejects where `--target` keeps a new state from getting its id.
   */
  text: Promise<string>;
  /** Whether this run makes the id. */
  isNew: Promise<boolean>;
}

let owner: Owner | undefined;

/**
 * This stack as the owner of its hosts. The id lives in the state: it stays when the stack is renamed, and the state of another
 * backend has another one.
 *
 * It is a value that the engine keeps as it came first, whatever the program offers later ({@link pulumi.Stash}).
 */
export const stackOwner = (): Owner => {
  owner ??= registered();
  return owner;
};

const registered = (): Owner => {
  const offered = pulumi.runtime.isDryRun() ? "(made by the first up)" : randomUUID();
  const kept = new pulumi.Stash("owner", { input: offered }, { ignoreChanges: ["input"] });
  const id = new Promise<string>((resolve, reject) => {
    kept.output.apply(resolve);
    // The resource is there, and its value is not: the engine has left it out.
    kept.urn.apply(() => setImmediate(() => reject(refusal([withoutId]))));
  });
  const isNew = id.then((found) => found === offered);
  isNew.catch(() => {}); // which `text` says
  return { kept, text: id.then((found) => `${pulumi.getProject()}/${pulumi.getStack()} ${found}`), isNew };
};

const withoutId =
  "this stack's state has no id yet, by which its hosts know their owner, and --target leaves it out. Run pulumi up once without --target, or add --target '**owner'";
