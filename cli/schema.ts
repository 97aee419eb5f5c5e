/** `npm run schema`: writes docs/stack-file.schema.json, which editors check stack files with, and docs/configuration.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { configurationPage } from "../config/configuration-page.ts";
import { stackFileSchema } from "../config/json-schema.ts";

const docs = new URL("../docs/", import.meta.url);

const reference = readFileSync(new URL("stack-file.yaml", docs), "utf8");
writeFileSync(new URL("stack-file.schema.json", docs), `${JSON.stringify(stackFileSchema(reference), null, 2)}\n`);
writeFileSync(new URL("configuration.md", docs), configurationPage(reference));
