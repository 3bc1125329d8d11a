namespace OpenEuroLLM.Tokenizers;

/// <summary>Several inputs that several threads read: each thread opens an input of its own as long as there are any, the largest first, and
/// then helps with those that are still being read.</summary>
internal sealed class SharedReading : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<ITrainingInput> _unopened;
    private readonly List<OpenInput> _open = [];
    private readonly IProgress<TokenizerTrainingProgress>? _progress;
    private readonly long? _total;
    private long _done;

    public SharedReading(IReadOnlyList<ITrainingInput> inputs, IProgress<TokenizerTrainingProgress>? progress)
    {
        _unopened = new Queue<ITrainingInput>(inputs.OrderByDescending(input => input.Bytes ?? 0));
        _total = inputs.All(input => input.Bytes is not null) ? inputs.Sum(input => input.Bytes) : null;
        _progress = progress;
    }

    /// <summary>Hands out all texts, one call per thread.</summary>
    /// <param name="batchBytes">So many bytes are taken at a time.</param>
    /// <param name="receive">Takes a text; runs while other threads read.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public void Read(int batchBytes, Action<TrainingText> receive, CancellationToken cancellation)
    {
        var batch = new List<TrainingText>();
        OpenInput? own = null;
        while ((own = own is { IsFinished: false } ? own : Choose()) is not null)
        {
            cancellation.ThrowIfCancellationRequested();
            batch.Clear();
            own.Take(batchBytes, batch);
            _progress?.Report(new TokenizerTrainingProgress("counting", Interlocked.Read(ref _done), _total));
            batch.ForEach(receive);
        }
    }

    public void Dispose() => _open.ForEach(input => input.Dispose());

    private OpenInput? Choose()
    {
        lock (_gate)
        {
            if (!_unopened.TryDequeue(out var next))
                return _open.Find(input => !input.IsFinished);
            var input = new OpenInput(next.Read(done => Interlocked.Add(ref _done, done)));
            _open.Add(input);
            return input;
        }
    }

    private sealed class OpenInput(IEnumerable<TrainingText> texts) : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly IEnumerator<TrainingText> _texts = texts.GetEnumerator();

        public bool IsFinished { get; private set; }

        public void Take(int bytes, List<TrainingText> batch)
        {
            lock (_gate)
            {
                for (int taken = 0; !IsFinished && taken < bytes;)
                {
                    if (!_texts.MoveNext())
                    {
                        IsFinished = true;
                        break;
                    }
                    batch.Add(_texts.Current);
                    taken += _texts.Current.Utf8.Length;
                }
            }
        }

        public void Dispose() => _texts.Dispose();
    }
}
