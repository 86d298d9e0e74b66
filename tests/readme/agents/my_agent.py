"""What README's reader may have: a script on the openai SDK that knows nothing of Detour."""

import sys

import openai

answer = openai.OpenAI().chat.completions.create(
    model="gpt-5", messages=[{"role": "user", "content": "Who are you?"}]
)
sys.stdout.write(f"{answer.choices[0].message.content}\n")
