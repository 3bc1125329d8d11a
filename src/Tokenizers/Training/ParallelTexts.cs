using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Finds out how many bytes a language takes for the same content, from documents that are translations of one another. Bytes and characters
/// cannot be compared between languages: Greek letters take two bytes, and German takes more letters than English.</summary>
internal sealed class ParallelTexts
{
    private const int Rounds = 50;

    private readonly Dictionary<(string Source, string Id), Dictionary<string, long>> _documents = [];
    private readonly Lock _gate = new();

    /// <summary>Documents that several languages have.</summary>
    public int Documents => _documents.Count(document => document.Value.Count > 1);

    public void Add(string source, string id, string language, long bytes)
    {
        lock (_gate)
        {
            if (!_documents.TryGetValue((source, id), out var sizes))
                _documents.Add((source, id), sizes = new Dictionary<string, long>(StringComparer.Ordinal));
            sizes[language] = sizes.GetValueOrDefault(language) + bytes;
        }
    }

    /// <summary>Bytes per content of each language that has parallel text, and the number of documents that say so. Only ratios between languages mean something.</summary>
    /// <remarks>log(bytes) = content of the document + expansion of the language + noise, solved for the least sum of absolute errors by medians in turn:
    /// a page that was translated in part only does not weigh more than one that is off by little.</remarks>
    public SortedDictionary<string, (double BytesPerContent, int Documents)> Expansions()
    {
        var documents = _documents.Where(document => document.Value.Count > 1)
            .OrderBy(document => document.Key.Source, StringComparer.Ordinal).ThenBy(document => document.Key.Id, StringComparer.Ordinal)
            .Select(document => document.Value.Where(size => size.Value > 0).OrderBy(size => size.Key, StringComparer.Ordinal)
                .Select(size => (Language: size.Key, Log: Numerics.Log(size.Value))).ToArray())
            .Where(document => document.Length > 1).ToList();
        var languages = documents.SelectMany(document => document.Select(size => size.Language)).Distinct().Order(StringComparer.Ordinal).ToList();
        var expansion = languages.ToDictionary(language => language, _ => 0.0, StringComparer.Ordinal);
        for (int round = 0; round < Rounds; round++)
        {
            var errors = languages.ToDictionary(language => language, _ => new List<double>(), StringComparer.Ordinal);
            foreach (var document in documents)
            {
                double content = Median([.. document.Select(size => size.Log - expansion[size.Language])]);
                foreach (var (language, log) in document)
                    errors[language].Add(log - content);
            }
            foreach (string language in languages)
                expansion[language] = Median(errors[language]);
        }
        var counts = documents.SelectMany(document => document.Select(size => size.Language)).CountBy(language => language).ToDictionary(StringComparer.Ordinal);
        var result = new SortedDictionary<string, (double, int)>(StringComparer.Ordinal);
        foreach (string language in languages)
            result.Add(language, (Numerics.Exp(expansion[language]), counts[language]));
        return result;
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
