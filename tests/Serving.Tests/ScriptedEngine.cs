using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>Answers as a test says, so that every turn of the protocol can be brought about.</summary>
internal sealed class ScriptedEngine : IInferenceEngine
{
    public ModelInfo Info { get; init; } = new("test-model", new Lazy<string>(new string('a', 64)), 300, 128, CanChat: true, Sampling.Greedy) { Fingerprint = new string('a', 16) };

    public EngineStatus Status => new(0, 0, 1, 1);

    public ConcurrentQueue<GenerationRequest> Requests { get; } = new();

    /// <summary>Two pieces of text, then the end, for every choice.</summary>
    public Func<GenerationRequest, CancellationToken, IAsyncEnumerable<GenerationEvent>> Script { get; set; } = (request, _) => Events(
        [.. Enumerable.Range(0, request.Choices).SelectMany(choice => new GenerationEvent[]
        {
            new GenerationEvent.Token(choice, 1),
            new GenerationEvent.Text(choice, "Dobrý "),
            new GenerationEvent.Token(choice, 2),
            new GenerationEvent.Text(choice, "den"),
            new GenerationEvent.Finished(choice, request.MaxTokens == 1 ? FinishReason.Length : FinishReason.Stop, new Usage(5, request.MaxTokens == 1 ? 1 : 3)),
        })]);

    public IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        Requests.Enqueue(request);
        return Script(request, cancellation);
    }

    public IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true) => [1, 2, 3, 4, 5];

    public string Decode(IReadOnlyList<int> ids) => string.Concat(ids.Select(id => (char)('a' + id % 26)));

    public byte[] TokenBytes(int id) => [(byte)('a' + id % 26)];

    public IReadOnlyList<Embedding> Embed(
        IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default) =>
        [.. inputs.Select((_, index) => new Embedding([index, 0.5f], 3))];

    public static async IAsyncEnumerable<GenerationEvent> Events(params GenerationEvent[] events)
    {
        foreach (GenerationEvent happened in events)
        {
            await Task.Yield();
            yield return happened;
        }
    }

    /// <summary>The first events, then whatever the gate brings: its completion, its exception, or the client's departure.</summary>
    public static async IAsyncEnumerable<GenerationEvent> Gated(
        Task gate, GenerationEvent[] first, GenerationEvent[] then, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (GenerationEvent happened in first) yield return happened;
        await gate.WaitAsync(cancellation);
        foreach (GenerationEvent happened in then) yield return happened;
    }
}
