"""The openai SDK, synchronous: tools and the functions of old."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
from cases import case, run_cases

MODEL = "gpt-4.1"
WRITE_FILE: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "write_file",
        "description": "Write a text file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    },
}
LOOK_UP: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    },
}
NO_PARAMETERS: dict[str, Any] = {"type": "function", "function": {"name": "ping"}}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)


class Weather(pydantic.BaseModel):
    """Tell the weather."""

    city: str
    days: int


def ask(client: openai.OpenAI, text: str, **more: Any) -> Any:
    request: dict[str, Any] = {
        "model": MODEL,
        "tools": [WRITE_FILE, LOOK_UP],
        "messages": [{"role": "user", "content": text}],
        **more,
    }
    return client.chat.completions.create(**request)


def calls_of(message: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id,
            "name": call.function.name,
            "arguments": json.loads(call.function.arguments),
        }
        for call in message.tool_calls or ()
    ]


def as_sent(call: Any) -> dict[str, Any]:
    """Put a call into the form in which agents that keep their own history send it back."""
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": "function", "function": function}


def facts(completion: Any) -> dict[str, Any]:
    (choice,) = completion.choices
    return {
        "calls": calls_of(choice.message),
        "text": choice.message.content,
        "finish_reason": choice.finish_reason,
    }


@case
def single(client: openai.OpenAI, mark: str) -> Any:
    return facts(ask(client, mark + "Write a file named notes.txt containing milk."))


@case
def parallel(client: openai.OpenAI, mark: str) -> Any:
    wanted = '[[say Both]] [[tool look_up {"word": "é"}]] [[tool write_file {"path": "a"}]]'
    return facts(ask(client, mark + wanted))


@case
def one_at_a_time(client: openai.OpenAI, mark: str) -> Any:
    wanted = '[[tool look_up {"word": "a"}]] [[tool look_up {"word": "b"}]]'
    return facts(ask(client, mark + wanted, parallel_tool_calls=False))


@case
def without_parameters(client: openai.OpenAI, mark: str) -> Any:
    return facts(ask(client, mark + "[[tool ping]]", tools=[NO_PARAMETERS]))


@case
def forced(client: openai.OpenAI, mark: str) -> Any:
    choice = {"type": "function", "function": {"name": "look_up"}}
    return facts(ask(client, mark + "Hello.", tool_choice=choice))


@case
def required(client: openai.OpenAI, mark: str) -> Any:
    return facts(ask(client, mark + "Hello.", tool_choice="required"))


@case
def forbidden(client: openai.OpenAI, mark: str) -> Any:
    return facts(ask(client, mark + "Hello.", tool_choice="none"))


@case
def forced_where_refused(client: openai.OpenAI, mark: str) -> Any:
    choice = {"type": "function", "function": {"name": "write_file"}}
    return facts(ask(client, mark + "Hello.", model="gpt-5.1", tool_choice=choice))


@case
def streamed(client: openai.OpenAI, mark: str) -> Any:
    wanted = '[[say Both]] [[tool look_up {"word": "é"}]] [[tool write_file {"path": "a"}]]'
    text = ""
    calls: list[dict[str, Any]] = []
    reasons: list[str] = []
    for chunk in ask(client, mark + wanted, stream=True):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                if part.index == len(calls):
                    assert part.type == "function"
                    calls.append({"id": part.id, "name": part.function.name, "pieces": []})
                calls[part.index]["pieces"].append(part.function.arguments)
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
    for call in calls:
        call["arguments"] = json.loads("".join(call["pieces"]))
    return {"text": text, "calls": calls, "finish_reasons": reasons}


@case
def stream_helper(client: openai.OpenAI, mark: str) -> Any:
    tool = openai.pydantic_function_tool(Weather)
    done: list[Any] = []
    with client.chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": mark + "How is the weather?"}],
        tools=[tool],
    ) as events:
        for event in events:
            if event.type == "tool_calls.function.arguments.done":
                done.append([event.name, isinstance(event.parsed_arguments, Weather)])
        return {**facts(events.get_final_completion()), "done": done}


@case
def parsed(client: openai.OpenAI, mark: str) -> Any:
    completion = client.chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": mark + "How is the weather?"}],
        tools=[openai.pydantic_function_tool(Weather)],
    )
    (call,) = completion.choices[0].message.tool_calls or ()
    arguments = call.function.parsed_arguments
    return {"name": call.function.name, "parsed": isinstance(arguments, Weather)}


@case
def round_trip(client: openai.OpenAI, mark: str) -> Any:
    """Call two tools, send their results back, and get an answer."""
    wanted = (
        '[[tool look_up {"word": "a"}]] [[tool write_file {"path": "b", "content": "c"}]]'
        " [[then]] [[tool look_up]] [[then]] [[say All is done]]"
    )
    messages: list[Any] = [{"role": "user", "content": mark + wanted}]
    tools = [WRITE_FILE, LOOK_UP]
    turns: list[dict[str, Any]] = []
    for _ in range(5):
        completion = client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
        turns.append(facts(completion))
        message = completion.choices[0].message
        if not message.tool_calls:
            break
        messages.append(message)
        # In the other order than they were called, as agents that run them at once may do.
        for call in reversed(message.tool_calls):
            name = call.function.name
            messages.append({"role": "tool", "tool_call_id": call.id, "content": f"{name} ran"})
    return turns


@case
def thinking_round_trip(client: openai.OpenAI, mark: str) -> Any:
    """The same with a model that thinks, by a stream whose thoughts agents do not send back."""
    messages: list[Any] = [
        {"role": "user", "content": mark + "[[think Hm]] [[tool look_up]] [[then]] [[say Done]]"}
    ]
    turns: list[dict[str, Any]] = []
    for _ in range(2):
        with client.chat.completions.stream(
            model="gpt-5.1", messages=messages, tools=[LOOK_UP], reasoning_effort="medium"
        ) as events:
            completion = events.get_final_completion()
        turns.append(facts(completion))
        message = completion.choices[0].message
        messages.append(
            {"role": "assistant", "tool_calls": [as_sent(call) for call in message.tool_calls]}
            if message.tool_calls
            else {"role": "assistant", "content": message.content}
        )
        for call in message.tool_calls or ():
            messages.append({"role": "tool", "tool_call_id": call.id, "content": ""})
    return turns


@case
def result_in_parts(client: openai.OpenAI, mark: str) -> Any:
    messages: list[Any] = [
        {"role": "user", "content": mark + "[[then]] [[say I see]]"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look_up", "arguments": ""},
                }
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
        },
    ]
    return facts(ask(client, "", messages=messages))


@case
def result_without_tools(client: openai.OpenAI, mark: str) -> Any:
    """Some frameworks do not offer the tools again when they send the results."""
    function = {"name": "look_up", "arguments": '{"word": "a"}'}
    messages: list[Any] = [
        {"role": "user", "content": mark + "[[then]] [[say I see]]"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
    ]
    return facts(client.chat.completions.create(model=MODEL, messages=messages))


@case
def functions(client: openai.OpenAI, mark: str) -> Any:
    """The API of 2023, both turns."""
    messages: list[Any] = [
        {"role": "user", "content": mark + '[[tool look_up {"word": "a"}]] [[then]] [[say Done]]'}
    ]
    offered: list[Any] = [LOOK_UP["function"]]
    first = client.chat.completions.create(model=MODEL, messages=messages, functions=offered)
    message = first.choices[0].message
    messages.append(message)
    messages.append({"role": "function", "name": "look_up", "content": "found"})
    second = client.chat.completions.create(model=MODEL, messages=messages, functions=offered)
    return {
        "call": message.function_call and message.function_call.to_dict(),
        "tool_calls": message.tool_calls,
        "finish_reason": first.choices[0].finish_reason,
        "text": second.choices[0].message.content,
    }


@case
def functions_streamed(client: openai.OpenAI, mark: str) -> Any:
    name, arguments, reasons = "", "", []
    for chunk in client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": mark + '[[tool look_up {"word": "a"}]]'}],
        functions=[LOOK_UP["function"]],
        function_call={"name": "look_up"},
        stream=True,
    ):
        for choice in chunk.choices:
            if call := choice.delta.function_call:
                name += call.name or ""
                arguments += call.arguments or ""
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
    return {"name": name, "arguments": json.loads(arguments), "finish_reasons": reasons}


if __name__ == "__main__":
    run_cases(openai.OpenAI(max_retries=0, timeout=20))
