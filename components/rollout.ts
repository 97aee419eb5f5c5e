import type { Step } from "../hosts/host.ts";

/**
 * Brings a change to a chat server only when the server before it is healthy with it.
 *
 * A new release, password or unit that does not start is put back on the first server, and the run ends. Had it been written on the
 * second one meanwhile, that server's next crash or reboot would start it. Only where chat runs there is something to lose: servers
 * that are installed for the first time wait for nobody.
 */
export class Rollout {
  private readonly letIn: Step[];
  private readonly installed = Promise.withResolvers<Step[]>();
  private readonly running = Promise.withResolvers<Step[]>();

  /** @param letIn Steps by which the servers let each other in: the first one that drains asks the others. */
  constructor(letIn: Step[]) {
    this.letIn = letIn;
  }

  /**
   * What a step of a server waits for, where the process will load what the step writes.
   *
   * @param index Which server, in the order in which they are restarted.
   */
  async before(index: number): Promise<Step[]> {
    const [installed, running] = [(await this.installed.promise)[index], (await this.running.promise)[index - 1]];
    if ((await installed?.active()) === false) return [];
    return running ? [...this.letIn, running] : this.letIn;
  }

  /**
   * Says which steps tell of each server whether chat runs there, and which prove that it is healthy, in the order of the servers.
   */
  register(installed: Step[], running: Step[]): void {
    this.installed.resolve(installed);
    this.running.resolve(running);
  }
}
