// OpenAI's Agents SDK.
import { endpoint, headers, load, question, run } from './ask.mjs';

const { MCPServerStreamableHttp } = load('@openai/agents');

await run(async () => {
	const server = new MCPServerStreamableHttp({ url: endpoint, name: 'mcpstore', requestInit: { headers } });
	try {
		await server.connect();
		const tools = (await server.listTools()).map((tool) => tool.name);
		const result = await server.callToolResult(question.name, question.arguments);
		return { tools, result };
	} finally {
		await server.close();
	}
});
