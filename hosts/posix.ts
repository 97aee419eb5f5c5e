/**
 * A script for the POSIX shell, whatever the login's own shell is: sshd hands a command to that one, fish or tcsh as well.
 *
 * @throws Error for a script with a single quote or a backslash, which these shells read in different ways.
 */
export const posix = (script: string): string => {
  if (/['\\]/.test(script)) throw new Error(`Expected a script without ' and \\, got ${script}`);
  return `sh -c '${script}'`;
};
