// An MCP client of the TypeScript SDK that signs in, for TestSignIn:
//
//     node client.mjs MODULES URL
//
// MODULES is the folder that holds node_modules, URL the server's endpoint. It
// takes orders on standard input and answers each on standard output, one JSON
// object a line:
//
//     {"order": "connect"}
//     {"order": "list"}
//     {"order": "call", "name": "…", "arguments": {…}}
//     {"order": "spoil"}     from now on the access token is a wrong one
//
// Where the server wants the owner's consent it prints {"authorize": URL},
// awaits the answer on a loopback port of its own, and then goes on with the
// order. Standard input's end ends it.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';

const [modules, endpoint] = process.argv.slice(2);
const sdk = createRequire(modules + '/')('@modelcontextprotocol/client');

const print = (line) => process.stdout.write(JSON.stringify(line) + '\n');

let arrive; // takes the parameters with which the browser comes back
const callback = createServer((request, response) => {
	const url = new URL(request.url, 'http://127.0.0.1');
	if (url.pathname !== '/callback') {
		response.writeHead(404).end();
		return;
	}
	response.end('You can close this page.');
	arrive(url.searchParams);
});
await new Promise((resolve) => callback.listen(0, '127.0.0.1', resolve));

const kept = {};
let state, returned;
const owner = {
	redirectUrl: `http://127.0.0.1:${callback.address().port}/callback`,
	get clientMetadata() {
		return {
			client_name: 'TypeScript SDK',
			redirect_uris: [owner.redirectUrl],
			grant_types: ['authorization_code', 'refresh_token'],
			response_types: ['code'],
			token_endpoint_auth_method: 'none',
		};
	},
	state: () => (state = randomUUID()),
	clientInformation: () => kept.client,
	saveClientInformation: (client) => void (kept.client = client),
	tokens: () => kept.tokens,
	saveTokens: (tokens) => void (kept.tokens = tokens),
	codeVerifier: () => kept.verifier,
	saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
	invalidateCredentials(what) {
		if (what === 'all' || what === 'tokens') delete kept.tokens;
		if (what === 'all' || what === 'client') delete kept.client;
		if (what === 'all' || what === 'verifier') delete kept.verifier;
	},
	redirectToAuthorization(url) {
		returned = new Promise((resolve) => (arrive = resolve));
		print({ authorize: url.href });
	},
};

let client, transport;
async function connect() {
	client = new sdk.Client({ name: 'signin', version: '1' });
	transport = new sdk.StreamableHTTPClientTransport(new URL(endpoint), { authProvider: owner });
	await client.connect(transport);
}

// consented does what needs the owner's consent, once more after it was given.
async function consented(act) {
	try {
		return await act();
	} catch (error) {
		if (!(error instanceof sdk.UnauthorizedError)) throw error;
	}
	const answer = await returned;
	if (answer.get('state') !== state) throw new Error('the state is another');
	if (answer.has('error')) throw new Error(answer.get('error'));
	await transport.finishAuth(answer);
	return act();
}

const orders = {
	async connect() {
		await consented(connect);
		return client.getServerVersion();
	},
	list: () => consented(() => client.listTools()),
	call: ({ name, arguments: args }) => consented(() => client.callTool({ name, arguments: args })),
	spoil() {
		kept.tokens = { ...kept.tokens, access_token: 'spoilt' };
		return {};
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	try {
		const { order, ...parameters } = JSON.parse(line);
		print({ result: (await orders[order](parameters)) ?? null, scope: kept.tokens?.scope });
	} catch (error) {
		print({ error: String(error) });
	}
}
process.exit(0);
