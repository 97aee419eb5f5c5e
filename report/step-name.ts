/**
 * The step on a host that a resource stands for, e.g. `haproxy`; undefined for another resource. A resource is called
 * `<host>-<concern>`, both of which may hold a `-`: its command for `destroy`, which ends with `undo <concern>`, says where the
 * host's name ends. (Its connection is encrypted.)
 */
export const concernOf = (name: string, inputs: Record<string, unknown> | undefined): string | undefined => {
  const concern = / undo ([a-z][a-z0-9-]*)(?:;|$)/.exec(String(inputs?.delete))?.[1];
  return concern && name.endsWith(`-${concern}`) ? concern : undefined;
};
