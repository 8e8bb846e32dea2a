// A host of MCP Apps: it calls a tool of a real server, and shows the card that
// the tool names in a sandboxed frame, by the AppBridge that hosts are built
// with. Tests drive it as window.host.

import { Client, StreamableHTTPClientTransport, type CallToolResult, type Tool } from "@modelcontextprotocol/client";
import {
  AppBridge, PostMessageTransport, RESOURCE_MIME_TYPE, getToolUiResourceUri,
  type McpUiHostContext,
} from "@modelcontextprotocol/ext-apps/app-bridge";

interface Options {
  endpoint: string;                // of the server
  tool: string;
  arguments: Record<string, unknown>;
  context?: McpUiHostContext;
  result?: CallToolResult;         // instead of the tool's own
  waits?: boolean;                 // sends no result yet
  deaf?: boolean;                  // answers nothing that the card says
  refuses?: boolean;               // takes no messages for the chat
}

const client = new Client({ name: "test-host", version: "1.0.0" }, {
  capabilities: { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } } },
});

const host = {
  frame: document.createElement("iframe"),
  bridge: undefined as AppBridge | undefined,
  calls: [] as { name: string; arguments?: Record<string, unknown> }[],
  messages: [] as string[], // for the chat
  heights: [] as number[],

  async open(o: Options) {
    await client.connect(new StreamableHTTPClientTransport(new URL(o.endpoint)));
    const { tools } = await client.listTools();
    const tool = tools.find(({ name }) => name === o.tool)!;
    const html = await read(tool);

    host.frame.title = "card";
    host.frame.setAttribute("sandbox", "allow-scripts");
    document.body.append(host.frame);
    const loaded = new Promise((done) => { host.frame.onload = done; });
    if (o.deaf) {
      host.frame.srcdoc = html;
      await loaded;
    } else {
      await host.greet(o, tool, html);
    }
    if (o.waits) return;
    host.send(o.result ?? await client.callTool({ name: o.tool, arguments: o.arguments }) as CallToolResult);
  },

  // greet shows the card and waits until it has said hello.
  async greet(o: Options, tool: Tool, html: string) {
    const bridge = host.bridge = new AppBridge(null, { name: "test-host", version: "1.0.0" },
      { serverTools: {}, message: { text: {} } }, { hostContext: { toolInfo: { tool }, ...o.context } });
    bridge.oncalltool = async (params) => {
      host.calls.push(params);
      return await client.callTool(params) as CallToolResult;
    };
    bridge.onmessage = async ({ content }) => {
      for (const c of content) if (c.type === "text") host.messages.push(c.text);
      return { isError: o.refuses };
    };
    bridge.onsizechange = ({ height }) => {
      host.heights.push(height!);
      host.frame.style.height = `${height}px`;
    };
    const ready = new Promise<void>((done) => { bridge.oninitialized = () => done(); });
    const view = host.frame.contentWindow!;
    await bridge.connect(new PostMessageTransport(view, view));
    host.frame.srcdoc = html;
    await ready;
    await bridge.sendToolInput({ arguments: o.arguments });
  },

  send(result: CallToolResult) {
    if (host.bridge) return host.bridge.sendToolResult(result);
    host.post({ method: "ui/notifications/tool-result", params: result });
  },

  post(message: object) {
    host.frame.contentWindow!.postMessage({ jsonrpc: "2.0", ...message }, "*");
  },

  // stranger posts from a window that is not the card's parent.
  stranger(message: object) {
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const script = frame.contentDocument!.createElement("script");
    script.textContent = `parent.frames[0].postMessage(${JSON.stringify({ jsonrpc: "2.0", ...message })}, "*")`;
    frame.contentDocument!.body.append(script);
  },
};

async function read(tool: Tool): Promise<string> {
  const uri = getToolUiResourceUri(tool);
  if (!uri) throw new Error(`${tool.name} has no card`);
  const { contents: [content] } = await client.readResource({ uri });
  if (content.mimeType !== RESOURCE_MIME_TYPE || !("text" in content)) throw new Error(`${uri} is ${content.mimeType}`);
  return content.text;
}

Object.assign(window, { host });
