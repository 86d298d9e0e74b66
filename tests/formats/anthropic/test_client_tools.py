import pytest

from addon.formats.anthropic.client_tools import client_tool
from addon.wire.unread import Unread


@pytest.mark.parametrize(
    ("kind", "name", "argument"),
    [
        ("bash_20250124", "bash", "command"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "old_str"),
        ("memory_20250818", "memory", "new_path"),
        ("computer_20251124", "computer", "coordinate"),
    ],
)
def test_a_tool_of_the_agents_becomes_a_function_of_the_same_name(kind, name, argument):
    tool = client_tool(kind, {"type": kind, "name": name}, Unread())
    assert tool is not None
    assert tool.name == name
    assert argument in tool.input_schema["properties"]


def test_the_screen_is_told_and_other_settings_are_lost_by_name():
    unread = Unread()
    wire = {
        "type": "computer_20251124",
        "name": "computer",
        "display_width_px": 1024,
        "display_height_px": 768,
        "enable_zoom": True,
    }
    tool = client_tool(wire["type"], wire, unread)
    assert "1024 pixels wide and 768 high" in tool.description
    assert [extra.field for extra in unread.extras] == ["tools.computer_20251124.enable_zoom"]


def test_tools_that_the_provider_runs_are_none_of_the_agents():
    assert client_tool("code_execution_20250825", {}, Unread()) is None
    assert client_tool("computer_toolset_20260801", {}, Unread()) is None
