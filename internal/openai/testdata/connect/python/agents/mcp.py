"""The part of the stand-in for openai-agents that calls MCP servers itself."""

import json
import urllib.request


class MCPServerStreamableHttp:
    def __init__(self, params, name=None, client_session_timeout_seconds=5):
        assert set(params) <= {"url", "headers", "timeout", "sse_read_timeout", "terminate_on_close"}
        assert params["timeout"] > 5 and client_session_timeout_seconds > 5
        self.params = params
        self.connected = False

    async def __aenter__(self):
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        request = urllib.request.Request(
            self.params["url"], data=json.dumps(body).encode(), headers=headers | self.params.get("headers", {})
        )
        with urllib.request.urlopen(request, timeout=self.params["timeout"]) as answer:
            assert json.load(answer)["result"]["serverInfo"]
        self.connected = True
        return self

    async def __aexit__(self, *_):
        self.connected = False
