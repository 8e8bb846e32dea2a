// The MCP Inspector on the command line, run anew for each method. The
// arguments after the URL are more of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endpoint, modules, more, question, run, token } from './ask.mjs';

const program = join(modules, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js');
const header = token ? ['--header', `Authorization: Bearer ${token}`] : [];
const options = ['--cli', endpoint, '--transport', 'http', '--format', 'json', '--stored-auth-only', ...header, ...more];

async function inspect(...args) {
	const command = [...process.execArgv, program, ...options, ...args];
	const { stdout, stderr } = await promisify(execFile)(process.execPath, command).catch((error) => {
		throw new Error(error.stderr || `it ended with ${error.code}`); // error.message has the token
	});
	process.stderr.write(stderr);
	return JSON.parse(stdout).result;
}

await run(async () => {
	// --strict fails for schemas that not every model takes.
	const { tools } = await inspect('--method', 'tools/list', '--strict');
	const values = Object.entries(question.arguments).map(([key, value]) => `${key}=${value}`);
	const result = await inspect('--method', 'tools/call', '--tool-name', question.name, '--tool-arg', ...values);
	return { tools: tools.map((tool) => tool.name), result };
});
