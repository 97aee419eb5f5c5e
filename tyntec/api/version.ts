/** A version of TynTec's API: `v2` has an application with webhooks, `v3` a configuration with one callback. */
export type ApiVersion = "v2" | "v3";
