import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Who answers questions: a person at a terminal, or nobody, so that proposals count. */
export interface Questions {
  /** Resolves to the answer, or to the proposal where the answer is empty; undefined where there is neither. */
  ask: (question: string, proposal?: string) => Promise<string | undefined>;
  /** Resolves to what was typed, which is not shown; undefined where nobody is there, or nothing was typed. */
  askSecret: (question: string) => Promise<string | undefined>;
  /** Whether a person has said yes; nobody never does. */
  confirm: (question: string) => Promise<boolean>;
}

/** Nobody answers: proposals count. */
export const nobody: Questions = {
  ask: async (_, proposal) => proposal,
  askSecret: async () => undefined,
  confirm: async () => false,
};

/** A person at a terminal, whose secrets are not shown. */
export const person = (input: NodeJS.ReadStream, output: NodeJS.WriteStream): Questions => {
  let hidden = false;
  const shown = new Writable({
    write: (chunk, _, done) => {
      if (!hidden) output.write(chunk);
      done();
    },
  });
  const line = async (question: string, secret = false): Promise<string> => {
    const reading = createInterface({ input, output: shown, terminal: true });
    const interrupted = Promise.withResolvers<never>();
    reading.once("SIGINT", () => interrupted.reject(new Error("interrupted: nothing was written")));
    try {
      const answer = Promise.race([reading.question(question), interrupted.promise]);
      hidden = secret;
      return await answer;
    } finally {
      if (hidden) output.write("\n");
      hidden = false;
      reading.close();
    }
  };
  return {
    ask: async (question, proposal) =>
      (await line(`${question}${proposal ? ` [${proposal}]` : ""}: `)).trim() || proposal,
    askSecret: async (question) => {
      if (!input.isTTY) throw new Error("a secret is asked for on a terminal only, which does not show it");
      return (await line(`${question} (not shown): `, true)) || undefined;
    },
    confirm: async (question) => /^(?:y|yes)$/i.test((await line(`${question} (yes/no): `)).trim()),
  };
};
