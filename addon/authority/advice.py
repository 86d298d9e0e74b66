"""What to do when an agent does not trust the proxy's certificate."""

from __future__ import annotations

_COMMON = (
    "it does not trust the certificate that Detour shows it. `detour run` and `detour env` set the "
    "variables that most programs read, but only for programs that start afterwards; this one was "
    "started before, or reads something else, or drops its environment."
)
_BUNDLE = "~/.detour/ca-bundle.pem"
_PYTHON = (
    f"Python: set SSL_CERT_FILE={_BUNDLE}. The openai client ignores REQUESTS_CA_BUNDLE and "
    "CURL_CA_BUNDLE; a client built with `verify=` or its own SSL context ignores every variable."
)
_NODE = (
    f"Node: set NODE_EXTRA_CA_CERTS={_BUNDLE} before Node starts; it is read once. "
    "SSL_CERT_FILE counts only with --use-openssl-ca."
)
_CODEX = (
    f"Codex: set CODEX_CA_CERTIFICATE={_BUNDLE} (or SSL_CERT_FILE). Older versions do not use it "
    "for WebSockets and fall back to HTTPS."
)
_GO = f"Go: set SSL_CERT_FILE={_BUNDLE}; on macOS and Windows Go asks the system's store instead."
_RUST = (
    f"Rust: set SSL_CERT_FILE={_BUNDLE}; programs with built-in roots (webpki-roots) cannot be "
    "told and need an option of their own."
)
_CURL = f"curl: set CURL_CA_BUNDLE={_BUNDLE}, or pass --cacert."
_JAVA = (
    "Java: import ~/.mitmproxy/mitmproxy-ca-cert.pem with `keytool -importcert` and name the key "
    "store with -Djavax.net.ssl.trustStore (see the comment at the end of `detour env`)."
)
_SYSTEM = (
    "Anything else, among it programs that pin certificates or read the system's store only: add "
    "~/.mitmproxy/mitmproxy-ca-cert.pem to the system's trusted authorities."
)

_BY_AGENT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("codex", (_CODEX,)),
    ("openai-python", (_PYTHON,)),
    ("anthropic-python", (_PYTHON,)),
    ("python", (_PYTHON,)),
    ("lang", (_PYTHON, _NODE)),
    ("aider", (_PYTHON,)),
    ("claude-code", (_NODE,)),
    ("opencode", (_NODE,)),
    ("gemini", (_NODE,)),
    ("node", (_NODE,)),
    ("openai-js", (_NODE,)),
    ("ai-sdk", (_NODE,)),
    ("curl", (_CURL,)),
    ("go-", (_GO,)),
    ("java", (_JAVA,)),
)
_ALL = (_PYTHON, _NODE, _CODEX, _GO, _RUST, _CURL, _JAVA)


def advice(agent: str | None) -> str:
    """Say what to do, runtime by runtime, or for the one that is known.

    Args:
        agent: The agent's name, from the proxy URL or the User-Agent; None when the handshake
            failed before it could tell.
    """
    name = (agent or "").lower()
    lines = next((lines for start, lines in _BY_AGENT if name.startswith(start)), _ALL)
    return "\n".join((_COMMON, *(f"  {line}" for line in (*lines, _SYSTEM))))
