// What the clients of this folder share. TestClientsOfOthers runs each as
//
//     node CLIENT.mjs MODULES URL [MORE…]
//
// MODULES is the folder that holds node_modules, URL the server's endpoint; the
// token, where there is one, is in MCPSTORE_TOKEN. A client lists the tools,
// asks check_stock, and prints one line of JSON:
//
//     {"tools": ["…"], "text": "…", "structured": {…}}
//     {"error": "…", "status": 401}          and exits with 1
import { createRequire } from 'node:module';

export const [modules, endpoint, ...more] = process.argv.slice(2);
export const token = process.env.MCPSTORE_TOKEN;
export const headers = token ? { Authorization: `Bearer ${token}` } : {};
export const question = { name: 'check_stock', arguments: { product: '茶葉蛋', store: 'KOKO便利店' } };

// load returns a package of MODULES, which no import statement would find.
export const load = createRequire(modules + '/');

// print ends the program, for some clients leave a timer or a socket behind.
function print(line, code) {
	process.stdout.write(JSON.stringify(line) + '\n', () => process.exit(code));
}

// statusOf finds the HTTP status in an error. Each client keeps it elsewhere.
function statusOf(error) {
	const found = [error?.status, error?.statusCode, error?.code, error?.data?.status].find(
		(status) => Number.isInteger(status) && status >= 100 && status < 600,
	);
	return found ?? (error?.cause ? statusOf(error.cause) : undefined);
}

// run prints what ask returns, which is {tools, result}: the tools' names, and
// check_stock's result as MCP has it.
export async function run(ask) {
	const late = setTimeout(() => print({ error: 'no answer within a minute' }, 1), 60_000);
	try {
		const { tools, result } = await ask();
		const text = result.content.map((block) => block.text).join('\n');
		if (result.isError) throw new Error(`check_stock: ${text}`);
		print({ tools, text, structured: result.structuredContent }, 0);
	} catch (error) {
		print({ error: String(error?.message ?? error), status: statusOf(error) }, 1);
	} finally {
		clearTimeout(late);
	}
}
