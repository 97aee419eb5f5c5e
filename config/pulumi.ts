/**
 * What of Pulumi's library its language host has loaded before it runs a program.
 *
 * All of the library takes another quarter of a second. Modules that are needed to log in to the hosts import these parts, so
 * that hosts are logged in to meanwhile (index.ts).
 */
export { RunError } from "@pulumi/pulumi/errors.js";
export * as log from "@pulumi/pulumi/log/index.js";
export { getStack } from "@pulumi/pulumi/metadata.js";
export { allConfig } from "@pulumi/pulumi/runtime/config.js";
export { isDryRun } from "@pulumi/pulumi/runtime/settings.js";
