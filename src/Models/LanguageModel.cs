using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>A decoder: tokens in, hidden states and logits out; the same forward call for training, prefill and decoding.</summary>
public abstract class LanguageModel : IDisposable
{
    private readonly ModelWeights weights;

    private protected LanguageModel(ModelConfig config, ModelWeights weights, Engine engine)
    {
        Config = config;
        this.weights = weights;
        Engine = engine;
    }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>Tokens known, special ones included.</summary>
    public int VocabularySize => Config.VocabularySize;

    /// <summary>Longest sequence, in tokens.</summary>
    public int ContextLength => Config.ContextLength;

    /// <summary>The engine that carries the model's operations out. Call <see cref="Tensors.Engine.Reset"/> between steps.</summary>
    public Engine Engine { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public IReadOnlyList<Weight> Weights => weights.All;

    /// <summary>Matrix that turns a hidden state into logits.</summary>
    protected abstract Weight Head { get; }

    /// <summary>Logits become cap · tanh(logit / cap), as in Gemma 2; null: they stay.</summary>
    protected virtual double? LogitSoftCap => null;

    /// <summary>Reads a model folder or a GGUF file for inference; weights keep their storage type.</summary>
    /// <exception cref="Core.UserErrorException">It is no model, or one that this version does not read.</exception>
    public static LanguageModel Load(string path, Engine engine, IReadOnlyList<string>? adapters = null) => ModelFolder.Load(path, engine, trainable: false, adapters);

    /// <summary>The same of an opened model.</summary>
    /// <exception cref="Core.UserErrorException">A number is not finite, or the files cannot be read.</exception>
    public static LanguageModel Load(ModelSource source, Engine engine) => WeightLoading.Load(source, engine, trainable: false);

    /// <summary>A model to be trained, with random weights that depend on the seed alone.</summary>
    public static LanguageModel Create(ModelConfig config, ulong seed, Engine engine) => config.Join(RandomWeights.Create(config, seed), engine);

    /// <summary>Final hidden states (rows, width) of a flat batch.</summary>
    /// <param name="tokens">Tokens of all sequences, one behind the other.</param>
    /// <param name="layout">Which rows belong together; keys and values of cached sequences are appended.</param>
    public abstract Tensor Forward(ReadOnlySpan<int> tokens, SequenceLayout layout);

    /// <summary>Logits of the rows asked for: <paramref name="logits"/> is (rows.Length, vocabulary).</summary>
    public void Logits(Tensor hidden, ReadOnlySpan<int> rows, Span<float> logits) => Engine.Logits(hidden, Head, rows, LogitSoftCap).Values.CopyTo(logits);

    /// <summary>Cross-entropy in nats of each row against its target; 0 where the target is −1.</summary>
    public void TokenLosses(Tensor hidden, ReadOnlySpan<int> targets, Span<float> losses) => Loss(hidden, targets).Values.CopyTo(losses);

    /// <summary>Cross-entropy (rows, 1); while recording also the start of the way back, with gradients times <paramref name="scale"/>.</summary>
    public Tensor Loss(Tensor hidden, ReadOnlySpan<int> targets, double scale = 1) => Engine.HeadLoss(hidden, Head, targets, scale, LogitSoftCap);

    /// <summary>A key/value cache of <paramref name="pages"/> pages of 64 tokens.</summary>
    public KeyValueCache CreateCache(int pages) => new(Config.Layers, Config.KeyValueHeads, Config.HeadDimension, pages);

    /// <summary>SHA-256 over every weight in the order of the forward pass: name, sizes, values as single precision. The identity of a model
    /// whatever its storage.</summary>
    public string WeightsSha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> sizes = stackalloc byte[8];
        foreach (var weight in Weights)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(weight.Name));
            BinaryPrimitives.WriteInt32LittleEndian(sizes, weight.Rows);
            BinaryPrimitives.WriteInt32LittleEndian(sizes[4..], weight.Columns);
            hash.AppendData(sizes);
            var row = new float[weight.Columns];
            for (var r = 0; r < weight.Rows; r++)
            {
                weight.CopyRow(r, row);
                hash.AppendData(MemoryMarshal.AsBytes<float>(row));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A product and its bias, where it has one.</summary>
    private protected Tensor Biased(Tensor product, Weight? bias) => bias is null ? product : Engine.AddBias(product, bias);

    /// <summary>Gives the weights' memory back.</summary>
    public void Dispose()
    {
        weights.Dispose();
        GC.SuppressFinalize(this);
    }
}
