import { toolPath } from "../../render/tool.ts";
import { whereInstalled } from "../tool-text.ts";

/**
 * The command that looks at a host with an account that may do nothing else: the request, names of steps, is its stdin.
 *
 * Plain words: where the account's key has a forced command, sshd runs that instead, which is the same.
 */
export const observeCommand = `sudo -n ${toolPath} observe`;

/** The command that looks at a host and judges documents; `withTool` makes its stdin. */
export const lookCommand = (toolDigest: string): string => whereInstalled(toolDigest, `exec sudo -n ${toolPath} look`);
