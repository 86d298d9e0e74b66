"""What agents are made of, and how each is made to call for one word."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from addon.embedded.scenario import DONE, GREETING

WORD = "DETOUR-WORKS"
"""What the embedded provider is asked to say."""
PROMPT = f"[[say {WORD}]]"
URL = "https://api.openai.com/v1/chat/completions"
_BODY = json.dumps({"model": "gpt-5.1", "messages": [{"role": "user", "content": PROMPT}]})
_KEY = "sk-of-the-doctor"
_AGENT_KEYS = {
    "OPENAI_API_KEY": _KEY,
    "CODEX_API_KEY": _KEY,
    "ANTHROPIC_API_KEY": _KEY,
    "GEMINI_API_KEY": _KEY,
}

_PYTHON = f"""\
import urllib.request
headers = {{"content-type": "application/json", "authorization": "Bearer {_KEY}"}}
request = urllib.request.Request("{URL}", {_BODY!r}.encode(), headers)
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""
_NODE = f"""\
const headers = {{"content-type": "application/json", authorization: "Bearer {_KEY}"}};
fetch("{URL}", {{method: "POST", headers, body: {_BODY!r}}})
  .then((answer) => answer.text()).then(console.log)
  .catch((error) => {{ console.error(String(error.cause ?? error)); process.exit(1); }});
"""
_GO = f"""\
package main

import ("fmt"; "io"; "net/http"; "os"; "strings")

func main() {{
    answer, err := http.Post("{URL}", "application/json", strings.NewReader(`{_BODY}`))
    if err != nil {{ fmt.Fprintln(os.Stderr, err); os.Exit(1) }}
    body, _ := io.ReadAll(answer.Body)
    fmt.Println(string(body))
}}
"""
_JAVA = f"""\
import java.net.URI;
import java.net.http.*;

public class Doctor {{
    public static void main(String[] arguments) throws Exception {{
        HttpRequest request = HttpRequest.newBuilder(URI.create("{URL}"))
            .header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString({json.dumps(_BODY)})).build();
        System.out.println(HttpClient.newHttpClient()
            .send(request, HttpResponse.BodyHandlers.ofString()).body());
    }}
}}
"""


class Runtime(NamedTuple):
    """Something that makes calls, and is to make one now."""

    name: str
    program: str
    command: Callable[[Path], list[str]]
    """Returns what stands after the program; may write files into the folder that it is given."""
    variables: Mapping[str, str] = {}
    """What it needs beside those that `detour env` prints."""
    expects: tuple[str, ...] = (WORD, GREETING, DONE)
    """What its output holds when all is well, one of these: the embedded provider has given an
    answer, also to a program that puts its own words around the prompt."""
    patience: float = 10.0

    def path(self, environment: Mapping[str, str]) -> str | None:
        """Return where it is installed."""
        return shutil.which(self.program, path=environment.get("PATH"))


def _written(name: str, text: str, *before: str) -> Callable[[Path], list[str]]:
    def write(folder: Path) -> list[str]:
        file = folder / name
        file.write_text(text)
        return [*before, str(file)]

    return write


def _said(*arguments: str) -> Callable[[Path], list[str]]:
    return lambda _: list(arguments)


RUNTIMES = (
    Runtime("Python", "python3", _said("-c", _PYTHON)),
    Runtime("Node", "node", _said("-e", _NODE)),
    Runtime(
        "curl",
        "curl",
        _said("-sS", "-m", "10", URL, "-H", "content-type: application/json", "-d", _BODY),
    ),
    # It asks an address that is refused: that Detour could refuse it is what is to be seen.
    Runtime(
        "git",
        "git",
        _said("ls-remote", "https://api.openai.com/detour.git"),
        {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"},
        expects=("error: 403",),
    ),
    Runtime("Go", "go", _written("doctor.go", _GO, "run")),
    Runtime("Java", "java", _written("Doctor.java", _JAVA)),
    Runtime(
        "Codex",
        "codex",
        _said("exec", "--skip-git-repo-check", "-m", "gpt-5.5", PROMPT),
        _AGENT_KEYS,
        patience=12.0,
    ),
    Runtime(
        "opencode",
        "opencode",
        _said("run", "--model", "openai/gpt-5.1", PROMPT),
        {**_AGENT_KEYS, "OPENCODE_DISABLE_AUTOUPDATE": "1"},
        patience=12.0,
    ),
    Runtime("Claude Code", "claude", _said("-p", PROMPT), _AGENT_KEYS, patience=12.0),
    Runtime(
        "Gemini CLI",
        "gemini",
        _said("--skip-trust", "-m", "gemini-2.5-pro", "-p", PROMPT),
        _AGENT_KEYS,
        patience=12.0,
    ),
)
