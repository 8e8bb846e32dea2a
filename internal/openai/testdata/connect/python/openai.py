"""A stand-in for the package openai, as far as the printed code uses it.

What is given to it is posted, and what comes back is handed over, as the real
one does; what the real one would not take is refused.
"""

import json
import os
import types
import urllib.request


class _Responses:
    def create(self, *, model, input, tools, previous_response_id=None, instructions=None):
        body = {"model": model, "input": input, "tools": tools}
        if previous_response_id is not None:
            body["previous_response_id"] = previous_response_id
        if instructions is not None:
            body["instructions"] = instructions
        request = urllib.request.Request(
            os.environ["OPENAI_BASE_URL"] + "/responses",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]},
        )
        with urllib.request.urlopen(request) as answer:
            response = json.load(answer, object_hook=lambda o: types.SimpleNamespace(**o))
        response.output_text = "".join(
            part.text for item in response.output if item.type == "message" for part in item.content
        )
        return response


class AsyncOpenAI:
    def __init__(self, *, max_retries=2):
        self.max_retries = max_retries


class OpenAI:
    def __init__(self, *, max_retries=2):
        self.responses = _Responses()
