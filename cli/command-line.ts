import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * Reads the arguments of a command. With `--help` it prints how to call the command, and ends.
 *
 * @throws Error that ends with how to call the command, for an option that there is not.
 */
export const commandLine = <const Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> => {
  if (process.argv.includes("--help")) {
    console.log(usage);
    process.exit();
  }
  try {
    return parseArgs(config);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
};
