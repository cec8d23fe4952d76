// The example server for the TypeScript SDK 2 and for fastmcp of npm; copied beside their node_modules to be run.
// Arguments: kind (ts2, fmts), transport (stdio, http, sessions, json, stateless, sse), port.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { z } from "zod";

const [kind, transport, port] = process.argv.slice(2);
const name = z.object({ name: z.string() });

async function typescriptSdk2() {
  const { McpServer, acceptedContent, createMcpHandler, inputRequired } = await import("@modelcontextprotocol/server");

  function made() {
    const server = new McpServer({ name: "example", version: "1" });
    const sum = z.object({ sum: z.number() });
    server.registerTool(
      "add",
      { description: "Two numbers.", inputSchema: z.object({ a: z.number(), b: z.number() }), outputSchema: sum },
      async ({ a, b }) => ({ content: [], structuredContent: { sum: a + b } }),
    );
    server.registerTool("steps", { description: "Reports progress." }, async (ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (let n = 1; n <= 3; n++) {
        if (progressToken === undefined) break;
        await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: n, total: 3 } });
      }
      return { content: [], structuredContent: { steps: 3 } };
    });
    server.registerTool("asks", { description: "Asks the person behind the call." }, async (ctx) => {
      const given = acceptedContent(ctx.mcpReq.inputResponses, "who");
      if (given !== undefined) return { content: [{ type: "text", text: `Hello ${given.name}.` }] };
      return inputRequired({ inputRequests: { who: inputRequired.elicit({ message: "Who?", requestedSchema: name }) } });
    });
    server.registerResource("settings", "config://settings", { description: "Settings." }, async (uri) => ({
      contents: [{ uri: uri.href, text: "green" }],
    }));
    server.registerPrompt("greet", { description: "A greeting.", argsSchema: name }, ({ name }) => ({
      messages: [{ role: "user", content: { type: "text", text: `Greet ${name}.` } }],
    }));
    return server;
  }

  if (transport === "stdio") {
    const { serveStdio } = await import("@modelcontextprotocol/server/stdio");
    serveStdio(made);
    return;
  }
  const { NodeStreamableHTTPServerTransport, toNodeHandler } = await import("@modelcontextprotocol/node");
  if (transport !== "sessions") {
    const handler = createMcpHandler(made, { responseMode: transport === "json" ? "json" : "auto" });
    createServer(toNodeHandler(handler)).listen(Number(port), "127.0.0.1");
    return;
  }
  const sessions = new Map();
  createServer(async (request, response) => {
    let found = sessions.get(request.headers["mcp-session-id"]);
    if (found === undefined) {
      found = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => sessions.set(id, found),
      });
      await made().connect(found);
    }
    await found.handleRequest(request, response);
  }).listen(Number(port), "127.0.0.1");
}

async function fastmcp() {
  const { FastMCP } = await import("fastmcp");
  const quiet = { debug() {}, error() {}, info() {}, log() {}, warn() {} };
  const server = new FastMCP({ name: "example", version: "1.0.0", logger: quiet });
  server.addTool({
    name: "add",
    description: "Two numbers.",
    parameters: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => JSON.stringify({ sum: a + b }),
  });
  server.addTool({
    name: "steps",
    description: "Reports progress.",
    parameters: z.object({}),
    execute: async (_, { reportProgress }) => {
      for (let n = 1; n <= 3; n++) await reportProgress({ progress: n, total: 3 });
      return JSON.stringify({ steps: 3 });
    },
  });
  server.addTool({
    name: "asks",
    description: "Asks the person behind the call.",
    parameters: z.object({}),
    execute: async (_, { elicit }) => {
      const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
      const given = await elicit({ message: "Who?", requestedSchema });
      return `Hello ${given.content?.name}.`;
    },
  });
  server.addResource({
    uri: "config://settings",
    name: "settings",
    mimeType: "text/plain",
    load: async () => ({ text: "green" }),
  });
  server.addPrompt({
    name: "greet",
    description: "A greeting.",
    arguments: [{ name: "name", required: true }],
    load: async ({ name }) => `Greet ${name}.`,
  });
  const stateless = transport === "stateless";
  await server.start(
    transport === "stdio"
      ? { transportType: "stdio" }
      : { transportType: "httpStream", httpStream: { port: Number(port), host: "127.0.0.1", stateless } },
  );
}

await (kind === "ts2" ? typescriptSdk2() : fastmcp());
