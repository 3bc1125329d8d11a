// A model of this process, asked as any other: chat-sample MODEL QUESTION...
using Microsoft.Extensions.AI;
using OpenEuroLLM.Chat;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: chat-sample MODEL QUESTION...   MODEL is a model folder or a .gguf file.");
    return 2;
}

using var model = LocalModel.Load(args[0]);
IChatClient client = model.AsChatClient();
var conversation = new List<ChatMessage>();
foreach (string question in args[1..])
{
    conversation.Add(new ChatMessage(ChatRole.User, question));
    ChatResponse answer = await client.GetResponseAsync(conversation, new ChatOptions { Temperature = 0, MaxOutputTokens = 48 });
    conversation.AddMessages(answer);
    Console.WriteLine($"{question} -> {answer.Text.Trim()}");
}
return 0;
