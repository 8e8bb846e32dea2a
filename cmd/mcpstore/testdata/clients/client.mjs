// The TypeScript SDK, 2.x. The argument after the URL is how it chooses the
// protocol, legacy, auto or a version to insist on, and the one after that the
// version which it must then have come to speak.
import { endpoint, headers, load, more, question, run } from './ask.mjs';

const { Client, StreamableHTTPClientTransport } = load('@modelcontextprotocol/client');

const [choose, want] = more;
const mode = ['legacy', 'auto'].includes(choose) ? choose : { pin: choose };

await run(async () => {
	const client = new Client({ name: 'client', version: '1' }, { versionNegotiation: { mode } });
	try {
		await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { requestInit: { headers } }));
		const version = client.getNegotiatedProtocolVersion();
		if (version !== want) throw new Error(`speaks ${version}, want ${want}`);
		const { tools } = await client.listTools();
		const result = await client.callTool(question);
		return { tools: tools.map((tool) => tool.name), result };
	} finally {
		await client.close();
	}
});
