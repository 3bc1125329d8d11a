using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus.Making;

/// <summary>What was made.</summary>
/// <param name="Documents">Number of documents.</param>
/// <param name="Bytes">Bytes before packing.</param>
/// <param name="Kinds">Documents of each kind.</param>
public sealed record MadeCorpus(long Documents, long Bytes, IReadOnlyDictionary<MadeKind, long> Kinds)
{
    /// <summary>Both together.</summary>
    public static MadeCorpus operator +(MadeCorpus first, MadeCorpus second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return new(first.Documents + second.Documents, first.Bytes + second.Bytes, first.Kinds.Concat(second.Kinds).GroupBy(kind => kind.Key).ToDictionary(group => group.Key, group => group.Sum(kind => kind.Value)));
    }

    /// <summary>Nothing.</summary>
    public static MadeCorpus Nothing { get; } = new(0, 0, new Dictionary<MadeKind, long>());
}

/// <summary>Makes corpora of any size for proofs and measurements, from a few texts: passages drawn from the texts of a language, with words replaced, and set
/// shares of copies, near copies and bad documents. The same texts, settings and seed give the same documents on every machine.</summary>
/// <remarks>Such a corpus has the words and the bytes of real text, so that what depends on those (readers, steps, de-duplication, memory) can be measured; its sentences have no sense.</remarks>
public sealed class CorpusMaker
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly MadeTexts _texts;

    private CorpusMaker(MadeTexts texts) => _texts = texts;

    /// <summary>Whether files can be packed with Zstandard here: its library is on this machine.</summary>
    public static bool CanPackZstandard => Zstandard.IsAvailable;

    /// <summary>Reads the texts to draw from.</summary>
    /// <param name="inputs">Files or folders in any form that a corpus is read from, <see cref="CorpusConfig.SampleSource"/> for the built-in sample; none: the sample.</param>
    /// <param name="languages">The languages to draw from, all of those found when there are none.</param>
    /// <param name="seed">Decides everything else.</param>
    /// <param name="shares">Shares of what is no good text; the usual ones when absent.</param>
    /// <param name="mostPassages">The most passages of a document, at least 1; the mean is about a quarter. A passage has up to 90 words.</param>
    /// <exception cref="UserErrorException">An input cannot be read, or there is no text of a language.</exception>
    public static CorpusMaker Open(IReadOnlyList<string> inputs, IReadOnlyList<string> languages, ulong seed, MutationShares? shares = null, int mostPassages = 30)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(languages);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostPassages, 1);
        var pools = new SortedDictionary<string, WordPool>(StringComparer.Ordinal);
        foreach (string input in inputs.DefaultIfEmpty(CorpusConfig.SampleSource))
        {
            var config = new CorpusConfig(input, input == CorpusConfig.SampleSource ? [.. SampleText.Languages.Where(language => languages.Count == 0 || languages.Contains(language))] : null, BadLineShare: 1);
            foreach (CorpusUnit unit in CorpusInput.Open(config, PhysicalFileSystem.Instance).Units) Take(unit, pools, languages);
        }
        foreach (string language in languages)
            if (!pools.ContainsKey(language)) throw new UserErrorException($"{string.Join(", ", inputs.DefaultIfEmpty("the built-in sample"))}: has no text in '{language}'; expected some to make a corpus from.");
        if (pools.Count == 0) throw new UserErrorException($"{string.Join(", ", inputs)}: has no text; expected some to make a corpus from.");
        return new CorpusMaker(new MadeTexts([.. pools.Values], seed, shares ?? new(), mostPassages));
    }

    /// <summary>Writes documents to a file.</summary>
    /// <param name="path">The file to make. The name's ending says what it is: <c>.jsonl</c>, or <c>.warc</c> with a page around each text, plain or with <c>.gz</c> or <c>.zst</c> behind.</param>
    /// <param name="first">Number of the first document, from 0: the next file of a corpus goes on where the last one ended.</param>
    /// <param name="documents">The most documents.</param>
    /// <param name="bytes">The file is closed when it has reached this size, before packing.</param>
    /// <param name="cancellation">Stops the work; the file stays as far as it is written.</param>
    /// <exception cref="UserErrorException">The ending is another, or libzstd is missing.</exception>
    public MadeCorpus Write(string path, long first, long documents, long bytes = long.MaxValue, CancellationToken cancellation = default)
    {
        string plain = Path.GetExtension(path) is ".gz" or ".zst" ? Path.ChangeExtension(path, null) : path;
        Packing packing = Path.GetExtension(path) switch { ".gz" => Packing.Gzip, ".zst" => Packing.Zstandard, _ => Packing.None };
        bool archive = Path.GetExtension(plain) == ".warc";
        if (!archive && Path.GetExtension(plain) != ".jsonl") throw new UserErrorException($"{path}: cannot be made; expected a name that ends in .jsonl or .warc, plain or with .gz or .zst behind.");
        if (packing == Packing.Zstandard) Zstandard.RequireAvailable(path);
        var kinds = new Dictionary<MadeKind, long>();
        long made = 0;
        var file = new MadeFile(path, packing, memberForEachPiece: archive);
        using (file)
        {
            var page = new MadePage();
            using var json = new Utf8JsonWriter(file.Piece, Writing);
            if (archive)
            {
                System.Buffers.BuffersExtensions.Write(file.Piece, MadePage.Information);
                file.EndPiece();
            }
            for (; made < documents && file.Bytes < bytes; made++)
            {
                cancellation.ThrowIfCancellationRequested();
                _texts.Make(first + made);
                kinds[_texts.Kind] = kinds.GetValueOrDefault(_texts.Kind) + 1;
                if (archive) page.Write(_texts, first + made, file.Piece);
                else WriteLine(json, first + made, file);
                file.EndPiece();
            }
        }
        return new MadeCorpus(made, file.Bytes, kinds);
    }

    private void WriteLine(Utf8JsonWriter json, long number, MadeFile file)
    {
        json.Reset();
        json.WriteStartObject();
        json.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"made:{number}"));
        json.WriteString("text", _texts.Text);
        json.WriteString("lang", _texts.Language);
        json.WriteString("source", "made");
        json.WriteString("license", "unknown");
        json.WriteString("url", _texts.Url);
        json.WriteEndObject();
        json.Flush();
        System.Buffers.BuffersExtensions.Write(file.Piece, "\n"u8);
    }

    private static void Take(CorpusUnit unit, SortedDictionary<string, WordPool> pools, IReadOnlyList<string> languages)
    {
        int unused = 0;
        foreach (Document document in unit.Read(PhysicalFileSystem.Instance, _ => { }))
        {
            string language = CorpusLanguages.Canonical(document.Lang) ?? document.Lang;
            if (languages.Count > 0 && !languages.Contains(language)) continue;
            if (!pools.TryGetValue(language, out WordPool? pool)) pool = new WordPool(language);
            unused = pool.IsFull ? unused + 1 : 0;
            if (unused > 100) return;   // a file mostly has one language, and that is full
            pool.Add(document.Text);
            if (pool.Passages > 0) pools[language] = pool;
        }
    }
}
