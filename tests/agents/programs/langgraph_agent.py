"""An agent of LangGraph's, streamed. Arguments: `chat` or `responses`, and the task."""

import sys
from pathlib import Path

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent


@tool
def write_file(path: str, content: str) -> str:
    """Write a text file."""
    Path(path).write_text(content)
    return "ok"


api, task = sys.argv[1:]
model = ChatOpenAI(model="gpt-5.1", streaming=True, use_responses_api=api == "responses")
agent = create_react_agent(model, [write_file])
state = agent.invoke({"messages": [("user", task)]})
print(state["messages"][-1].text)
