"""Stands in for an agent that is not installed, under that agent's name.

It calls OpenAI as the agent would: through the proxy and with the trusted authorities that its
runtime reads from the environment, and with nothing else.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import urllib.request
from pathlib import Path

AUTHORITIES = {
    "codex": "CODEX_CA_CERTIFICATE",
    "my_agent": "SSL_CERT_FILE",
    "node": "NODE_EXTRA_CA_CERTS",
    "opencode": "NODE_EXTRA_CA_CERTS",
}
"""Program: the variable that names its trusted authorities."""

request = urllib.request.Request(
    "https://api.openai.com/v1/chat/completions",
    json.dumps(
        {"model": "gpt-5", "messages": [{"role": "user", "content": "Who are you?"}]}
    ).encode(),
    {
        "authorization": f"Bearer {os.environ['OPENAI_API_KEY']}",
        "content-type": "application/json",
    },
)
name = Path(sys.argv[0]).name
trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
trusted.load_verify_locations(os.environ[AUTHORITIES[name]])
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({"https": os.environ["HTTPS_PROXY"]}),
    urllib.request.HTTPSHandler(context=trusted),
)
with opener.open(request, timeout=20) as answer:
    said = json.load(answer)["choices"][0]["message"]["content"]
if name == "node" and os.environ["NODE_USE_ENV_PROXY"] != "1":
    sys.exit("Node would have gone straight to OpenAI")
sys.stdout.write(f"{said}\n")
