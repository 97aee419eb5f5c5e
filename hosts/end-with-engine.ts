/**
 * End with the engine that has started this program.
 *
 * When `pulumi` is killed, nobody reads what the program prints. Each line then fails (EPIPE), Pulumi's library prints that
 * failure, and so on: the program would take a core and its memory would grow for ever, with the secrets in its environment.
 */
export const endWithEngine = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
};
