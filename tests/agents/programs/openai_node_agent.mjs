// A loop around the openai SDK. Arguments: `responses` or `chat`, and the task.
import fs from 'node:fs';

import OpenAI from 'openai';

const definition = {
  name: 'write_file',
  description: 'Write a text file.',
  parameters: {
    type: 'object',
    properties: { path: { type: 'string' }, content: { type: 'string' } },
    required: ['path', 'content'],
  },
};
const client = new OpenAI();
const [api, task] = process.argv.slice(2);

function writeFile({ path, content }) {
  fs.writeFileSync(path, content);
  return 'ok';
}

async function chat() {
  const messages = [{ role: 'user', content: task }];
  const tools = [{ type: 'function', function: definition }];
  for (;;) {
    const stream = client.chat.completions.stream({ model: 'gpt-5.1', messages, tools });
    const message = await stream.finalMessage();
    if (!message.tool_calls?.length) {
      return message.content;
    }
    messages.push(message);
    for (const call of message.tool_calls) {
      const content = writeFile(JSON.parse(call.function.arguments));
      messages.push({ role: 'tool', tool_call_id: call.id, content });
    }
  }
}

async function responses() {
  const input = [{ role: 'user', content: task }];
  const tools = [{ type: 'function', strict: false, ...definition }];
  for (;;) {
    const stream = client.responses.stream({ model: 'gpt-5.1', input, tools });
    const response = await stream.finalResponse();
    input.push(...response.output);
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (!calls.length) {
      return response.output_text;
    }
    for (const call of calls) {
      const output = writeFile(JSON.parse(call.arguments));
      input.push({ type: 'function_call_output', call_id: call.call_id, output });
    }
  }
}

console.log(await (api === 'chat' ? chat() : responses()));
