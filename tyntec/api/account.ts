import type { AccountCallbacks } from "./account-callbacks.ts";
import { readApplication } from "./application.ts";
import type { TynTecAccount } from "./call.ts";
import { readConfiguration } from "./configuration.ts";
import type { ApiVersion } from "./version.ts";

const readers = { v2: readApplication, v3: readConfiguration };

/** Where the account sends its events. @throws Error that starts with `TynTec:` and says what to do. */
export const readCallbacks = (version: ApiVersion, account: TynTecAccount): Promise<AccountCallbacks> =>
  readers[version](account);
