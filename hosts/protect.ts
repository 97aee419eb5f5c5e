import * as pulumi from "@pulumi/pulumi";

/**
 * Has the engine refuse to delete any resource of the program that is registered from now on: `pulumi destroy`, and an `up` without
 * a host that the state has. The engine names `protect` in its error.
 */
export const protectAll = (): void =>
  pulumi.runtime.registerStackTransformation(({ props, opts }) => ({ props, opts: { ...opts, protect: true } }));
