import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { TynTecWebhooks, type TynTecWebhooksArgs } from "../../../components/tyntec-webhooks.ts";
import { Look } from "../../../hosts/look/look.ts";

const config = new pulumi.Config("jtel-chat");
const args = config.requireObject<Omit<TynTecWebhooksArgs, "look" | "apiKey" | "after">>("tyntec");
const apiKey = pulumi.runtime.allConfig()["jtel-chat:apiKey"] ?? "";
const look = new Look();
new TynTecWebhooks("tyntec", { ...args, look, apiKey, after: [] });

// Stands for a host: is written once everything has been seen.
const nothing = async () => ({ found: undefined, problems: [] });
const seen = look.registerPrerequisite({ name: "host", look: nothing });
new local.Command("host", { create: seen.then(() => "echo written") });
await look.close();
