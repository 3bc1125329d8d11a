using OpenEuroLLM.Formats;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>A real model folder with random weights and a tokenizer of single bytes: what it says is noise, and always the same.</summary>
public sealed class SmallModel : IDisposable
{
    private const int ContextLength = 256;
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory("oellm-serving-");

    public SmallModel() : this(ChatTemplate.Text, ContextLength) { }

    private SmallModel(string template, int contextLength)
    {
        string folder = Path;
        Directory.CreateDirectory(folder);
        Tokenizer tokenizer = MadeUpVocabulary.Create(MadeUpVocabulary.SmallestSize);
        tokenizer.Save(folder);
        File.WriteAllText(System.IO.Path.Combine(folder, ChatTemplate.FileName), template);
        var config = new LlamaConfig(Layers: 2, Width: 32, Heads: 2, KeyValueHeads: 1, HeadDimension: 16, Hidden: 48,
            tokenizer.VocabularySize, contextLength)
        { EndIds = [tokenizer.Chat.EndOfText, tokenizer.Chat.EndOfTurn] };
        using var engine = new Engine(1);
        using var model = LanguageModel.Create(config, seed: 1, engine);
        ModelFolder.Save(model, folder, SafetensorsType.F32);
        Engine = InferenceEngine.Load(folder, threads: 1);
    }

    public InferenceEngine Engine { get; }

    /// <summary>The folder.</summary>
    public string Path => System.IO.Path.Combine(parent.FullName, "small");

    public static SmallModel With(string template, int contextLength) => new(template, contextLength);

    public void Dispose()
    {
        Engine.Dispose();
        parent.Delete(recursive: true);
    }
}

/// <summary>The same with a template that shows tools, calls and their results.</summary>
public sealed class SmallToolModel : IDisposable
{
    private const string Template =
        "<|begin_of_text|>" +
        "{% if tools %}<|system|>{% for tool in tools %}{{ tool | tojson }}{% endfor %}" +
        "Call as <tool_call>{\"name\": \"NAME\", \"arguments\": {}}</tool_call><|end_of_turn|>{% endif %}" +
        "{% for message in messages %}" +
        "{% if message.role == 'system' %}<|system|>{% elif message.role == 'assistant' %}<|assistant|>{% else %}<|user|>{% endif %}" +
        "{{ message.content }}" +
        "{% if message.tool_calls %}{% for call in message.tool_calls %}" +
        "<tool_call>{\"name\": \"{{ call.function.name }}\", \"arguments\": {{ call.function.arguments | tojson }}}</tool_call>" +
        "{% endfor %}{% endif %}" +
        "<|end_of_turn|>" +
        "{% endfor %}" +
        "{% if add_generation_prompt %}<|assistant|>{% endif %}";

    private readonly SmallModel model = SmallModel.With(Template, contextLength: 1024);

    public InferenceEngine Engine => model.Engine;

    public void Dispose() => model.Dispose();
}
