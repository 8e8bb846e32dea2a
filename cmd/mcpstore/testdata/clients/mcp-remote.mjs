// mcp-remote, started and spoken to as Claude Desktop does: over its standard
// input and output, with the header in the environment, since on some machines
// npx mangles an argument that has a space. The arguments after the URL are
// more of its own.
import { join } from 'node:path';
import { endpoint, load, modules, more, question, run, token } from './ask.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = load('@modelcontextprotocol/sdk/client/stdio.js');

const header = token ? ['--header', 'Authorization:${AUTH_HEADER}'] : [];

await run(async () => {
	const bridge = new StdioClientTransport({
		command: process.execPath,
		args: [...process.execArgv, join(modules, 'node_modules/mcp-remote/dist/proxy.js'), endpoint, ...header, ...more],
		env: { ...process.env, AUTH_HEADER: `Bearer ${token}` },
	});
	const client = new Client({ name: 'mcp-remote', version: '1' });
	try {
		await client.connect(bridge);
		const { tools } = await client.listTools();
		const result = await client.callTool(question);
		return { tools: tools.map((tool) => tool.name), result };
	} finally {
		await client.close();
	}
});
