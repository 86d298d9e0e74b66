"""LangChain's ChatOpenAI."""

from __future__ import annotations

from typing import Any

import pydantic
from cases import case, run_cases
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def multiply(first: int, second: int) -> int:
    """Multiply two numbers."""
    return first * second


class Joke(pydantic.BaseModel):
    """A joke."""

    question: str
    answer: str
    rating: int | None = None


@case
def invoke(model: ChatOpenAI, mark: str) -> Any:
    answer = model.invoke([SystemMessage("Be brief."), HumanMessage(mark + "[[say Good day]]")])
    return {
        "text": answer.content,
        "usage": answer.usage_metadata,
        "meta": answer.response_metadata,
    }


@case
def stream(model: ChatOpenAI, mark: str) -> Any:
    chunks = list(model.stream(mark + "[[say Good day to you]]"))
    whole: Any = sum(chunks[1:], start=chunks[0])
    assert isinstance(whole, AIMessageChunk)
    return {
        "pieces": [chunk.content for chunk in chunks if chunk.content],
        "finish_reason": whole.response_metadata["finish_reason"],
        "usage": whole.usage_metadata,
    }


@case
def bind_tools(model: ChatOpenAI, mark: str) -> Any:
    bound = model.bind_tools([multiply])
    wanted = '[[tool multiply {"first": 6, "second": 7}]] [[then]] [[say It is 42]]'
    messages: list[Any] = [HumanMessage(mark + wanted)]
    answer = bound.invoke(messages)
    messages.append(answer)
    (call,) = answer.tool_calls
    result = multiply.invoke(call)
    assert isinstance(result, ToolMessage)
    messages.append(result)
    return {"args": call["args"], "result": result.content, "text": bound.invoke(messages).content}


@case
def stream_tools(model: ChatOpenAI, mark: str) -> Any:
    wanted = '[[tool multiply {"first": 6, "second": 7}]] [[tool multiply {"first": 1}]]'
    chunks = list(model.bind_tools([multiply]).stream(mark + wanted))
    whole: Any = sum(chunks[1:], start=chunks[0])
    return [[call["name"], call["args"]] for call in whole.tool_calls]


@case
def forced_tool(model: ChatOpenAI, mark: str) -> Any:
    bound = model.bind_tools([multiply], tool_choice="multiply")
    return [call["name"] for call in bound.invoke(mark + "Hello.").tool_calls]


@case
def structured_by_schema(model: ChatOpenAI, mark: str) -> Any:
    return isinstance(model.with_structured_output(Joke).invoke(mark + "A joke!"), Joke)


@case
def structured_by_tool(model: ChatOpenAI, mark: str) -> Any:
    structured = model.with_structured_output(Joke, method="function_calling")
    return isinstance(structured.invoke(mark + "A joke!"), Joke)


@case
def structured_by_json(model: ChatOpenAI, mark: str) -> Any:
    structured = model.with_structured_output(Joke, method="json_mode")
    answer = structured.invoke(mark + 'As JSON. [[say {"question": "q", "answer": "a"}]]')
    return isinstance(answer, Joke)


@case
def error(model: ChatOpenAI, mark: str) -> Any:
    return model.invoke(mark + "[[error 401 authentication_error No]]")


@case
def cut(model: ChatOpenAI, mark: str) -> Any:
    said: list[Any] = []
    for chunk in model.stream(mark + "[[events 30]] [[cut 20]]"):
        said.append(chunk.content)
    return said


if __name__ == "__main__":
    run_cases(ChatOpenAI(model="gpt-5.1", max_retries=0, timeout=20))
