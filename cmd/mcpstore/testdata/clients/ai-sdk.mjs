// Vercel's AI SDK: the tools as it hands them to a model.
import { endpoint, headers, load, question, run } from './ask.mjs';

const { createMCPClient } = load('@ai-sdk/mcp');

await run(async () => {
	const client = await createMCPClient({ transport: { type: 'http', url: endpoint, headers } });
	try {
		const tools = await client.tools();
		const result = await tools[question.name].execute(question.arguments, { toolCallId: '1', messages: [] });
		return { tools: Object.keys(tools), result };
	} finally {
		await client.close();
	}
});
