// An agent on the AI SDK, streamed. Arguments: `responses` or `chat`, and the task.
import fs from 'node:fs';

import { openai } from '@ai-sdk/openai';
import { isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';

const [api, prompt] = process.argv.slice(2);
const writeFile = tool({
  description: 'Write a text file.',
  inputSchema: z.object({ path: z.string(), content: z.string() }),
  execute: async ({ path, content }) => {
    fs.writeFileSync(path, content);
    return 'ok';
  },
});
const result = streamText({
  model: api === 'chat' ? openai.chat('gpt-5.1') : openai('gpt-5.1'),
  prompt,
  tools: { write_file: writeFile },
  stopWhen: isStepCount(4),
  onError: ({ error }) => {
    console.error(error);
    process.exitCode = 1;
  },
});
for await (const text of result.textStream) {
  process.stdout.write(text);
}
console.log();
