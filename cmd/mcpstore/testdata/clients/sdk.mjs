// The TypeScript SDK, 1.x.
import { endpoint, headers, load, question, run } from './ask.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = load('@modelcontextprotocol/sdk/client/streamableHttp.js');

await run(async () => {
	const client = new Client({ name: 'sdk', version: '1' });
	try {
		await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { requestInit: { headers } }));
		const { tools } = await client.listTools();
		const result = await client.callTool(question);
		return { tools: tools.map((tool) => tool.name), result };
	} finally {
		await client.close();
	}
});
