"""A stand-in for the package openai-agents, as far as the printed code uses it."""

import asyncio
import types
from dataclasses import dataclass, field

from openai import OpenAI


@dataclass(kw_only=True)
class HostedMCPTool:
    tool_config: dict
    on_approval_request: object = None


@dataclass(kw_only=True)
class Agent:
    name: str
    instructions: str
    model: str
    tools: list = field(default_factory=list)
    mcp_servers: list = field(default_factory=list)


class Runner:
    @staticmethod
    async def run(agent, input):
        assert asyncio.get_running_loop()
        assert all(server.connected for server in agent.mcp_servers)
        create = OpenAI().responses.create
        about = {
            "model": agent.model,
            "instructions": agent.instructions,
            "tools": [tool.tool_config for tool in agent.tools],
        }
        response = create(input=input, **about)
        while asked := [item for item in response.output if item.type == "mcp_approval_request"]:
            answers = []
            for item in asked:
                decision = agent.tools[0].on_approval_request(types.SimpleNamespace(data=item))
                answers.append({"type": "mcp_approval_response", "approval_request_id": item.id, "approve": decision["approve"]})
            response = create(input=answers, previous_response_id=response.id, **about)
        return types.SimpleNamespace(final_output=response.output_text)


def set_default_openai_client(client):
    if client.max_retries != 0:
        raise ValueError("a client that sends again")
