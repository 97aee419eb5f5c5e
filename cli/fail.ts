/** Ends a command with exit code 1, and says why in one line, without a stack trace. */
export const failWith = (error: Error): void => {
  console.error(error.message);
  process.exitCode = 1;
};
