"""Python's own urllib: send standard input as it is and print the answer as it is.

The last line on standard error is the status.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

URL = "https://api.openai.com/v1/chat/completions"

if __name__ == "__main__":
    request = urllib.request.Request(
        URL,
        data=sys.stdin.buffer.read(),
        headers={"content-type": "application/json", "authorization": "Bearer sk-of-the-agent"},
    )
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        sys.stdout.buffer.write(answer.read())
    sys.stderr.write(f"{answer.status}\n")
