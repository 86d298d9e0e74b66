// What README's reader may have: a script for Node that knows nothing of Detour.
const answer = await fetch('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: {
    authorization: `Bearer ${process.env.OPENAI_API_KEY}`,
    'content-type': 'application/json',
  },
  body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'Who are you?' }] }),
});
console.log((await answer.json()).choices[0].message.content);
