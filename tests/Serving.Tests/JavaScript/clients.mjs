// The official JavaScript clients, unmodified, against three running servers: a real model, one whose template knows tools, and one that answers as told.
// Usage: node clients.mjs openai|anthropic|google MODEL_SERVER TOOLS_SERVER SCRIPTED_SERVER      a failed check ends the program with its stack
import assert from "node:assert/strict";

const [client, modelServer, toolsServer, scriptedServer] = process.argv.slice(2);
const question = "Kdo jsi?";
const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

const person = {
  type: "object", properties: { age: { type: "integer", minimum: 18, maximum: 99 }, kind: { type: "string", enum: ["a", "ž"] } }, required: ["age", "kind"], additionalProperties: false,
};
const forecast = {
  type: "object", properties: { days: { type: "integer", minimum: 1, maximum: 9 }, unit: { type: "string", enum: ["C", "F"] } }, required: ["days", "unit"], additionalProperties: false,
};

/** A value of the schema above. */
function isPerson(value) {
  assert.deepEqual(Object.keys(value), ["age", "kind"]);
  assert.ok(value.age >= 18 && value.age <= 99 && person.properties.kind.enum.includes(value.kind), JSON.stringify(value));
}

/** Arguments of the schema above. */
function isForecast(value) {
  assert.deepEqual(Object.keys(value), ["days", "unit"]);
  assert.ok(value.days >= 1 && value.days <= 9 && forecast.properties.unit.enum.includes(value.unit), JSON.stringify(value));
}

/** What a promise is rejected with; it must be. */
async function failure(promise) {
  try {
    await promise;
  } catch (problem) {
    return problem;
  }
  assert.fail("an error was expected");
}

/** All that an asynchronous iteration brings. */
async function all(things) {
  const found = [];
  for await (const thing of things) found.push(thing);
  return found;
}

async function openai() {
  const { default: OpenAI } = await import("openai");
  const connect = base => new OpenAI({ apiKey: "none", baseURL: `${base}/v1`, maxRetries: 0 });
  const real = connect(modelServer), caller = connect(toolsServer), scripted = connect(scriptedServer);
  const ask = { model: "small", max_completion_tokens: 12, seed: 5, messages: [{ role: "user", content: question }] };

  const models = await real.models.list();
  assert.deepEqual(models.data.map(model => model.id), ["small"]);
  assert.equal((await real.models.retrieve("small")).object, "model");

  const whole = await real.chat.completions.create({ ...ask, n: 2, logprobs: true, top_logprobs: 2 });
  assert.equal(whole.choices.length, 2);
  assert.equal(whole.usage.prompt_tokens, 12);
  const bytes = whole.choices[0].logprobs.content.flatMap(token => token.bytes);
  assert.equal(new TextDecoder().decode(Uint8Array.from(bytes)), whole.choices[0].message.content);

  const chunks = await all(await real.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } }));
  assert.equal(chunks.map(chunk => chunk.choices[0]?.delta.content ?? "").join(""), whole.choices[0].message.content);
  assert.equal(chunks.at(-1).usage.prompt_tokens, 12);
  const helped = real.chat.completions.stream(ask);
  assert.equal((await helped.finalChatCompletion()).choices[0].message.content, whole.choices[0].message.content);

  const tools = [{ type: "function", function: { name: "weather", parameters: weather } }, { type: "function", function: { name: "time" } }];
  const told = { model: "scripted", messages: [{ role: "user", content: "call" }], tools };
  const called = await scripted.chat.completions.create(told);
  assert.equal(called.choices[0].finish_reason, "tool_calls");
  assert.deepEqual(called.choices[0].message.tool_calls.map(call => [call.id, call.function.name, JSON.parse(call.function.arguments)]),
    [["id1", "weather", { city: "Říše" }], ["id2", "time", {}]]);
  assert.equal(called.choices[0].message.reasoning_content, "Two calls.");
  const streamedCalls = await scripted.chat.completions.stream(told).finalChatCompletion();
  assert.deepEqual(streamedCalls.choices[0].message.tool_calls.map(call => call.function.arguments), ['{"city":"Říše"}', "{}"]);
  const results = called.choices[0].message.tool_calls.map(call => ({ role: "tool", tool_call_id: call.id, content: "rain" }));
  const after = await scripted.chat.completions.create({ ...told, messages: [...told.messages, called.choices[0].message, ...results] });
  assert.equal(after.choices[0].message.content, "user, assistant, tool, tool");

  const completed = await real.completions.create({ model: "small", prompt: "ab", echo: true, logprobs: 1, max_tokens: 0 });
  assert.equal(completed.choices[0].text, "ab");
  assert.deepEqual(completed.choices[0].logprobs.tokens.slice(1), ["a", "b"]);
  assert.equal(completed.choices[0].logprobs.token_logprobs[0], null);

  const form = { name: "person", strict: true, schema: person }, formed = { ...ask, max_completion_tokens: 80, response_format: { type: "json_schema", json_schema: form } };
  const parsed = await real.chat.completions.parse(formed);
  isPerson(parsed.choices[0].message.parsed);
  assert.equal((await real.chat.completions.stream(formed).finalChatCompletion()).choices[0].message.content, parsed.choices[0].message.content);
  const forced = { model: "small", messages: ask.messages, parallel_tool_calls: false, tools: [
    { type: "function", function: { name: "time" } }, { type: "function", function: { name: "weather", strict: true, parameters: forecast } }] };
  const forcedCall = (await caller.chat.completions.create({ ...forced, tool_choice: { type: "function", function: { name: "weather" } } })).choices[0];
  assert.deepEqual([forcedCall.finish_reason, forcedCall.message.tool_calls.length, forcedCall.message.tool_calls[0].function.name], ["tool_calls", 1, "weather"]);
  isForecast(JSON.parse(forcedCall.message.tool_calls[0].function.arguments));
  assert.equal((await caller.chat.completions.create({ ...forced, tool_choice: "required" })).choices[0].message.tool_calls.length, 1);

  const respond = { model: "small", input: question, max_output_tokens: 80, store: false, text: { format: { type: "json_schema", ...form } } };
  const response = await real.responses.parse(respond);
  isPerson(response.output_parsed);
  assert.equal(response.text.format.name, "person");
  assert.equal((await real.responses.stream(respond).finalResponse()).output_text, response.output_text);
  const answered = await caller.responses.parse({ model: "small", input: question, parallel_tool_calls: false, tool_choice: { type: "function", name: "weather" },
    tools: [{ type: "function", name: "weather", strict: true, parameters: forecast }] });
  assert.deepEqual([answered.output.map(item => item.type), answered.tool_choice.name, answered.parallel_tool_calls, answered.tools[0].strict], [["function_call"], "weather", false, true]);
  isForecast(answered.output[0].parsed_arguments);
  const unkept = await failure(real.responses.create({ ...respond, text: { format: { type: "json_schema", name: "n", schema: { not: {} } } } }));
  assert.ok(unkept instanceof OpenAI.BadRequestError && unkept.param === "text.format", String(unkept));

  // Without a form the client asks for base64 and decodes it itself.
  const decoded = await real.embeddings.create({ model: "small", input: ["Dobrý den", "ahoj"] });
  const plain = await real.embeddings.create({ model: "small", input: ["Dobrý den", "ahoj"], encoding_format: "float" });
  assert.deepEqual(decoded.data.map(each => each.embedding.length), [32, 32]);
  for (const [i, each] of plain.data.entries()) assert.deepEqual(decoded.data[i].embedding.map(Math.fround), each.embedding.map(Math.fround));
  assert.equal((await real.embeddings.create({ model: "small", input: "a", dimensions: 8 })).data[0].embedding.length, 8);

  const missing = await failure(real.chat.completions.create({ ...ask, model: "other" }));
  assert.ok(missing instanceof OpenAI.NotFoundError && missing.code === "model_not_found" && missing.requestID.startsWith("req_"));
  const long = await failure(real.chat.completions.create({ ...ask, messages: [{ role: "user", content: "x".repeat(300) }] }));
  assert.ok(long instanceof OpenAI.BadRequestError && long.code === "context_length_exceeded");
  const busy = await failure(scripted.chat.completions.create({ ...told, messages: [{ role: "user", content: "busy" }] }));
  assert.ok(busy instanceof OpenAI.RateLimitError && busy.headers.get("retry-after") !== null);
  const late = await failure((async () => all(await scripted.chat.completions.create({ ...told, stream: true, messages: [{ role: "user", content: "fail" }] })))());
  assert.ok(late instanceof OpenAI.APIError, String(late));

  const stream = await scripted.chat.completions.create({ ...told, stream: true, messages: [{ role: "user", content: "wait" }] });
  for await (const chunk of stream) if (chunk.choices[0].delta.content === "a") break; // leaving the loop aborts the request
}

async function anthropic() {
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const connect = baseURL => new Anthropic({ apiKey: "none", baseURL, maxRetries: 0 });
  const real = connect(modelServer), caller = connect(toolsServer), scripted = connect(scriptedServer);
  const ask = { model: "small", max_tokens: 12, system: [{ type: "text", text: "Buď stručný." }], messages: [{ role: "user", content: question }] };

  const models = [];
  for await (const model of real.models.list()) models.push([model.id, model.type, model.max_input_tokens]);
  assert.deepEqual(models, [["small", "model", 256]]);
  assert.equal((await real.models.retrieve("small")).display_name, "small");

  const whole = await real.messages.create(ask);
  const text = whole.content.map(block => block.text).join("");
  assert.ok(whole.id.startsWith("msg_") && whole._request_id.startsWith("req_"));
  assert.equal((await real.messages.countTokens({ model: "small", system: ask.system, messages: ask.messages })).input_tokens, whole.usage.input_tokens);
  const streamed = await real.messages.stream(ask).finalMessage();
  assert.equal(streamed.content.map(block => block.text).join(""), text);
  assert.deepEqual([streamed.stop_reason, streamed.usage.input_tokens, streamed.usage.output_tokens], [whole.stop_reason, whole.usage.input_tokens, whole.usage.output_tokens]);
  const events = await all(await real.messages.create({ ...ask, stream: true }));
  assert.deepEqual([events[0].type, events.at(-2).type, events.at(-1).type], ["message_start", "message_delta", "message_stop"]);

  const { jsonSchemaOutputFormat } = await import("@anthropic-ai/sdk/helpers/json-schema");
  const kinds = { ...person, properties: { age: { type: "integer", enum: [18, 99] }, kind: person.properties.kind } }; // the helper turns bounds into words
  const formed = { ...ask, max_tokens: 80, output_config: { format: jsonSchemaOutputFormat(kinds) } };
  const parsed = await real.messages.parse(formed);
  isPerson(parsed.parsed_output);
  assert.equal(parsed.stop_reason, "end_turn");
  assert.deepEqual((await real.messages.stream(formed).finalMessage()).parsed_output, parsed.parsed_output);
  isPerson(JSON.parse((await real.messages.create({ ...ask, max_tokens: 80, output_config: { format: { type: "json_schema", schema: person } } })).content[0].text));
  const forced = { model: "small", max_tokens: 400, messages: ask.messages, tools: [{ name: "weather", strict: true, input_schema: forecast }, { name: "time", input_schema: { type: "object" } }] };
  const forcedCall = await caller.messages.create({ ...forced, tool_choice: { type: "tool", name: "weather", disable_parallel_tool_use: true } });
  assert.deepEqual([forcedCall.stop_reason, forcedCall.content.map(block => block.name)], ["tool_use", ["weather"]]);
  isForecast(forcedCall.content[0].input);
  assert.ok((await caller.messages.create({ ...forced, tools: forced.tools.slice(0, 1), tool_choice: { type: "any" } })).content.some(block => block.type === "tool_use"));

  const tools = [{ name: "weather", input_schema: weather }, { name: "time", input_schema: { type: "object" } }];
  const told = { model: "scripted", max_tokens: 50, tools, thinking: { type: "enabled", budget_tokens: 1024 }, messages: [{ role: "user", content: "call" }] };
  const content = [
    { type: "thinking", thinking: "Two calls.", signature: "" }, { type: "text", text: "Let me see." },
    { type: "tool_use", id: "id1", name: "weather", caller: { type: "direct" }, input: { city: "Říše" } },
    { type: "tool_use", id: "id2", name: "time", caller: { type: "direct" }, input: {} },
  ];
  const called = await scripted.messages.create(told);
  assert.deepEqual(called.content, content);
  const calledInPieces = await scripted.messages.stream(told).finalMessage();
  assert.deepEqual(calledInPieces.content.map(({ type, id, name, input, text: said, thinking }) => ({ type, id, name, input, said, thinking })),
    content.map(({ type, id, name, input, text: said, thinking }) => ({ type, id, name, input, said, thinking })));
  assert.deepEqual([calledInPieces.stop_reason, calledInPieces.usage.input_tokens, calledInPieces.usage.cache_read_input_tokens], ["tool_use", 26, 64]);
  const results = { role: "user", content: ["id1", "id2"].map(id => ({ type: "tool_result", tool_use_id: id, content: "rain" })) };
  const after = await scripted.messages.create({ ...told, messages: [...told.messages, { role: "assistant", content: calledInPieces.content }, results] });
  assert.equal(after.content[0].text, "user, assistant, tool, tool");

  const missing = await failure(real.messages.create({ ...ask, model: "other" }));
  assert.ok(missing instanceof Anthropic.NotFoundError && missing.error.error.type === "not_found_error" && missing.requestID.startsWith("req_"));
  const long = await failure(real.messages.create({ ...ask, messages: [{ role: "user", content: "x".repeat(300) }] }));
  assert.ok(long instanceof Anthropic.BadRequestError);
  const busy = await failure(scripted.messages.create({ ...told, messages: [{ role: "user", content: "busy" }] }));
  assert.ok(busy instanceof Anthropic.RateLimitError && busy.headers.get("retry-after") !== null);
  const late = await failure(scripted.messages.stream({ ...told, messages: [{ role: "user", content: "fail" }] }).finalMessage());
  assert.ok(late instanceof Anthropic.APIError, String(late));

  const stream = scripted.messages.stream({ ...told, messages: [{ role: "user", content: "wait" }] });
  stream.on("text", () => stream.abort());
  assert.ok(await failure(stream.finalMessage()) instanceof Anthropic.APIUserAbortError);
}

async function google() {
  const { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } = await import("@google/genai");
  const connect = baseUrl => new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl, retryOptions: { attempts: 1 } } });
  const real = connect(modelServer), caller = connect(toolsServer), scripted = connect(scriptedServer);
  const ask = { model: "small", contents: question, config: { maxOutputTokens: 12, seed: 5, systemInstruction: "Buď stručný." } };

  const names = [];
  for await (const model of await real.models.list()) names.push(model.name);
  assert.deepEqual(names, ["models/small"]);
  assert.equal((await real.models.get({ model: "small" })).inputTokenLimit, 256);

  const whole = await real.models.generateContent(ask);
  const pieces = await all(await real.models.generateContentStream(ask));
  assert.equal(pieces.map(piece => piece.text ?? "").join(""), whole.text);
  assert.deepEqual(pieces.at(-1).usageMetadata.totalTokenCount, whole.usageMetadata.totalTokenCount);
  assert.equal((await real.models.countTokens({ model: "small", contents: question })).totalTokens, 12);
  const chat = real.chats.create({ model: "small", config: { maxOutputTokens: 4 } });
  await chat.sendMessage({ message: "a" });
  await chat.sendMessage({ message: "b" });
  assert.equal(chat.getHistory().length, 4);

  const embedded = await real.models.embedContent({ model: "small", contents: ["Dobrý den", "ahoj"], config: { outputDimensionality: 8 } });
  assert.deepEqual(embedded.embeddings.map(each => each.values.length), [8, 8]);

  const formed = { ...ask.config, maxOutputTokens: 80, responseMimeType: "application/json" };
  const responseSchema = { type: Type.OBJECT, propertyOrdering: ["age", "kind"], required: ["age", "kind"], properties: {
    kind: { type: Type.STRING, enum: ["a", "ž"] }, age: { type: Type.INTEGER, minimum: 18, maximum: 99 } } };
  for (const config of [{ ...formed, responseSchema }, { ...formed, responseJsonSchema: person }]) {
    const value = (await real.models.generateContent({ ...ask, config })).text;
    isPerson(JSON.parse(value));
    assert.equal((await all(await real.models.generateContentStream({ ...ask, config }))).map(piece => piece.text ?? "").join(""), value);
  }
  const forced = await caller.models.generateContent({ model: "small", contents: question, config: {
    tools: [{ functionDeclarations: [{ name: "time" }, { name: "weather", parametersJsonSchema: forecast }] }],
    toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ["weather"] } } } });
  assert.ok(forced.functionCalls.length > 0);
  for (const call of forced.functionCalls) isForecast(call.args);

  const functionDeclarations = [{ name: "weather", parametersJsonSchema: weather }, { name: "time" }];
  const config = { tools: [{ functionDeclarations }], thinkingConfig: { includeThoughts: true } };
  const called = await scripted.models.generateContent({ model: "scripted", contents: "call", config });
  assert.deepEqual(called.functionCalls, [{ id: "id1", name: "weather", args: { city: "Říše" } }, { id: "id2", name: "time", args: {} }]);
  assert.ok(called.candidates[0].content.parts[0].thought);
  const calledInPieces = await all(await scripted.models.generateContentStream({ model: "scripted", contents: "call", config }));
  assert.deepEqual(calledInPieces.flatMap(piece => piece.functionCalls ?? []), called.functionCalls);
  const results = called.functionCalls.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: "rain" } } }));
  const after = await scripted.models.generateContent({
    model: "scripted", config,
    contents: [{ role: "user", parts: [{ text: "call" }] }, called.candidates[0].content, { role: "user", parts: results }],
  });
  assert.equal(after.text, "user, assistant, tool, tool");

  const missing = await failure(real.models.generateContent({ ...ask, model: "other" }));
  assert.ok(missing instanceof ApiError && missing.status === 404 && missing.message.includes("NOT_FOUND"));
  const long = await failure(real.models.generateContent({ ...ask, contents: "x".repeat(300) }));
  assert.ok(long instanceof ApiError && long.status === 400);
  const busy = await failure(scripted.models.generateContent({ model: "scripted", contents: "busy" }));
  assert.ok(busy instanceof ApiError && busy.status === 429, String(busy));
  const late = await failure((async () => all(await scripted.models.generateContentStream({ model: "scripted", contents: "fail" })))());
  assert.ok(late instanceof ApiError && late.status === 504, String(late));

  const control = new AbortController();
  const stream = await scripted.models.generateContentStream({ model: "scripted", contents: "wait", config: { abortSignal: control.signal } });
  const first = await stream.next();
  assert.equal(first.value.text, "a");
  control.abort();
  await failure(stream.next());
}

await { openai, anthropic, google }[client]();
