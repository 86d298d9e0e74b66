// The openai SDK for Node, wherever OPENAI_PACKAGE says it is installed.
import { pathToFileURL } from 'node:url';

const { default: OpenAI } = await import(pathToFileURL(process.env.OPENAI_PACKAGE).href);
const client = new OpenAI({ maxRetries: 0, timeout: 20_000 });
const tool = {
  type: 'function',
  function: { name: 'look_up', parameters: { type: 'object', properties: {} } },
};

function request(text, more = {}) {
  return { model: 'gpt-5.1', messages: [{ role: 'user', content: text }], ...more };
}

async function read(text) {
  let said = '';
  for await (const chunk of await client.chat.completions.create(request(text, { stream: true }))) {
    said += chunk.choices[0]?.delta?.content ?? '';
  }
  return said;
}

const cases = {
  async create(mark) {
    const completion = await client.chat.completions.create(request(`${mark}[[say Good day]]`));
    return completion.choices[0].message.content;
  },
  stream: (mark) => read(`${mark}[[say Good day]]`),
  async stream_helper(mark) {
    const stream = client.chat.completions.stream(request(`${mark}[[say Good day]]`));
    return (await stream.finalChatCompletion()).choices[0].message.content;
  },
  async tools(mark) {
    const offered = { ...tool, function: { ...tool.function, function: () => 'found' } };
    const asked = request(`${mark}[[tool look_up]] [[then]] [[say Found]]`, { tools: [offered] });
    return client.chat.completions.runTools({ ...asked, stream: true }).finalContent();
  },
  error: (mark) => read(`${mark}[[error 429 rate_limit_error Slow down]] [[retry-after 7]]`),
  cut: (mark) => read(`${mark}[[events 30]] [[cut 20]]`),
};

for (const [name, run] of Object.entries(cases)) {
  let outcome;
  try {
    outcome = await run(`(case ${name}) `);
  } catch (error) {
    outcome = { error: error.constructor.name, status: error.status, code: error.code };
  }
  console.log(JSON.stringify({ case: name, outcome }));
}
