// The host: JSON-RPC 2.0 by postMessage, with the parent window and nobody else.
// https://github.com/modelcontextprotocol/ext-apps/blob/main/specification/2026-01-26/apps.mdx

const patience = 60_000; // milliseconds that a tool has to answer

const pending = new Map(); // by id, what awaits an answer
let lastID = 0;
let capabilities; // the host's, once it said hello

// The host's origin can't be known beforehand; who the parent is, is certain.
const post = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
const notify = (method, params = {}) => post({ method, params });

function request(method, params, timeout) {
  const id = ++lastID;
  return new Promise((resolve, reject) => {
    const timer = timeout && setTimeout(() => settle(id, { error: { message: "timeout" } }), timeout);
    pending.set(id, { resolve, reject, timer });
    post({ id, method, params });
  });
}

function settle(id, { result, error }) {
  const p = pending.get(id);
  if (!p) return;
  pending.delete(id);
  clearTimeout(p.timer);
  error ? p.reject(new Error(error.message)) : p.resolve(result ?? {});
}

// listen hands the host's notifications to those who want them, and answers its
// requests.
function listen(handlers) {
  addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || data?.jsonrpc !== "2.0") return;
    const { id, method, params } = data;
    if (method === undefined) return settle(id, data);
    if (id === undefined) return Object.hasOwn(handlers, method) && handlers[method](params ?? {});
    if (method === "ping" || method === "ui/resource-teardown") post({ id, result: {} });
    else post({ id, error: { code: -32601, message: "method not found" } });
  });
}

// greet says hello, and from then on tells the host how much room the card takes.
async function greet(meet) {
  const hello = await request("ui/initialize", {
    appInfo: { name: "mcpstore-stock-card", version: "1.0.0" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    protocolVersion: "2026-01-26",
  });
  capabilities = hello.hostCapabilities ?? {};
  meet(hello.hostContext ?? {});
  notify("ui/notifications/initialized");
  let told;
  new ResizeObserver(() => {
    const size = { width: innerWidth, height: Math.ceil(document.documentElement.getBoundingClientRect().height) };
    if (told === (told = JSON.stringify(size))) return;
    notify("ui/notifications/size-changed", size);
  }).observe(document.documentElement);
}

const callTool = (name, args) => request("tools/call", { name, arguments: args }, patience);

// tellChat puts a text into the chat as if the user had typed it.
async function tellChat(text) {
  const { isError } = await request("ui/message", { role: "user", content: [{ type: "text", text }] });
  if (isError) throw new Error("refused");
}

