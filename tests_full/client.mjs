// A client of `rtfs mcp serve` on a TypeScript SDK: node client.mjs FOLDER 1|2 stdio|http, as python_client.py.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, major, transport] = process.argv.slice(2);
const given = JSON.parse(readFileSync(0, "utf8"));
const resolver = createRequire(join(folder, "x.js"));
const load = (name) => import(pathToFileURL(resolver.resolve(name)).href);
const first = major === "1";
const { Client } = await load(first ? "@modelcontextprotocol/sdk/client/index.js" : "@modelcontextprotocol/client");
const { StdioClientTransport } = await load(first ? "@modelcontextprotocol/sdk/client/stdio.js" : "@modelcontextprotocol/client/stdio");
const { StreamableHTTPClientTransport } = await load(
  first ? "@modelcontextprotocol/sdk/client/streamableHttp.js" : "@modelcontextprotocol/client",
);
const client = new Client({ name: "test", version: "1" }, { capabilities: { elicitation: {} } });
const answer = async () => ({ action: "accept", content: { answer: "yes, this once" } });
if (first) {
  const { ElicitRequestSchema } = await load("@modelcontextprotocol/sdk/types.js");
  client.setRequestHandler(ElicitRequestSchema, answer);
} else {
  client.setRequestHandler("elicitation/create", answer);
}
const [command, ...args] = given.command;
await client.connect(
  transport === "stdio"
    ? new StdioClientTransport({ command, args, cwd: given.folder, env: given.environment })
    : new StreamableHTTPClientTransport(new URL(given.url)),
);
const seen = { tools: (await client.listTools()).tools.map((tool) => tool.name).sort() };
for (const [name, plan] of Object.entries({
  sum: "(reduce + (range 10))",
  wrong: "(+ 1 :a)",
  asked: '(call "shop.cancel" {:id 7})',
})) {
  seen[name] = (await client.callTool({ name: "run_plan", arguments: { plan } })).structuredContent;
}
if (first) {
  const { CallToolResultSchema } = await load("@modelcontextprotocol/sdk/types.js");
  const call = { name: "run_plan", arguments: { plan: '(call "shop.cancel" {:id 8})' } };
  for await (const message of client.experimental.tasks.callToolStream(call, CallToolResultSchema, { task: { ttl: 60000 } })) {
    if (message.type === "result") seen.task = message.result.structuredContent;
    if (message.type === "error") throw message.error;
  }
}
await client.close();
console.log(JSON.stringify(seen));
