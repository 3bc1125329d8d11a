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

    public SmallModel()
    {
        string folder = Path;
        Directory.CreateDirectory(folder);
        Tokenizer tokenizer = MadeUpVocabulary.Create(MadeUpVocabulary.SmallestSize);
        tokenizer.Save(folder);
        File.WriteAllText(System.IO.Path.Combine(folder, ChatTemplate.FileName), ChatTemplate.Text);
        var config = new LlamaConfig(Layers: 2, Width: 32, Heads: 2, KeyValueHeads: 1, HeadDimension: 16, Hidden: 48,
            tokenizer.VocabularySize, ContextLength)
        { EndIds = [tokenizer.Chat.EndOfText, tokenizer.Chat.EndOfTurn] };
        using var engine = new Engine(1);
        using var model = LanguageModel.Create(config, seed: 1, engine);
        ModelFolder.Save(model, folder, SafetensorsType.F32);
        Engine = InferenceEngine.Load(folder, threads: 1);
    }

    public InferenceEngine Engine { get; }

    /// <summary>The folder.</summary>
    public string Path => System.IO.Path.Combine(parent.FullName, "small");

    public void Dispose()
    {
        Engine.Dispose();
        parent.Delete(recursive: true);
    }
}
