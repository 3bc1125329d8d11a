using System.Runtime.CompilerServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>A label with its probability.</summary>
/// <param name="Label">Code of a language in <see cref="LanguageCatalog"/>, or <see cref="LanguageIdentifier.NoLanguage"/>, or <see cref="LanguageIdentifier.Unknown"/>.</param>
/// <param name="Confidence">0 to 1; of answers with 0.8, about eight in ten are right.</param>
public readonly record struct IdentifiedLanguage(string Label, double Confidence);

/// <summary>Tells the language of a text: sums of small integers over sequences of letters and words, so that the answer is the same on every machine.</summary>
/// <remarks>Safe for use by several threads at once; a call allocates nothing. Text is UTF-8 of any content and length.</remarks>
public sealed unsafe partial class LanguageIdentifier : IDisposable
{
    /// <summary>The label of text that is no language: code, numbers, markup, broken text.</summary>
    public const string NoLanguage = "zxx";

    /// <summary>The label of what is none of the known languages, or too uncertain.</summary>
    public const string Unknown = "und";

    /// <summary>Below this confidence the answer is <see cref="Unknown"/>, unless another bound is asked for.</summary>
    public const double DefaultThreshold = 0.2;

    /// <summary>A text's first bytes decide; the rest of a longer one is not read.</summary>
    public const int MostBytes = 1 << 16;

    /// <summary>The most labels that a call can rank.</summary>
    public const int MostLabels = 48;

    private const int Width = 48;

    // Features are looked up in batches of about as many as can be summed in 16 bits; after a full one there is room for the longest word and the signs.
    private const int FullBatch = ScoreTable.SafeAdditions - 32, Batch = FullBatch + WordFeatures.Most + SignCounts.Most;

    private readonly IdentificationModel _model;
    private readonly string[] _latin, _cyrillic;

    private LanguageIdentifier(IdentificationModel model)
    {
        _model = model;
        _latin = [.. model.Latin.Labels.Select(Shown)];
        _cyrillic = [.. model.Cyrillic.Labels.Select(Shown)];
        Labels = [.. _latin.Concat(_cyrillic).Concat(["el", "ka"]).Where(label => label != Unknown).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>The labels it can give besides <see cref="Unknown"/>, in order of their codes.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>Opens a model's file; it is mapped, not read into memory.</summary>
    /// <exception cref="UserErrorException">The file is absent, damaged or no model of this version.</exception>
    public static LanguageIdentifier Load(string path)
    {
        var model = IdentificationModel.Load(path);
        if (model.Latin.Width > Width || model.Cyrillic.Width > Width)
        {
            model.Dispose();
            throw new UserErrorException(FormattableString.Invariant($"{path}: has more than {Width} labels of a script; make it again with 'oellm identify train'."));
        }

        return new LanguageIdentifier(model);
    }

    /// <summary>Opens the model that lies beside the program.</summary>
    /// <exception cref="UserErrorException">It is not there.</exception>
    public static LanguageIdentifier BuiltIn() => Load(Path.Combine(AppContext.BaseDirectory, "models", "identification", "identification.bin"));

    /// <summary>The language of a text.</summary>
    /// <param name="utf8">The text; bytes that are no UTF-8 count against its being a language.</param>
    /// <param name="threshold">Below this confidence the answer is <see cref="Unknown"/>.</param>
    public IdentifiedLanguage Identify(ReadOnlySpan<byte> utf8, double threshold = DefaultThreshold)
    {
        Span<IdentifiedLanguage> best = [default];
        Rank(utf8, best);
        return best[0].Confidence >= threshold ? best[0] : new IdentifiedLanguage(Unknown, best[0].Confidence);
    }

    /// <summary>The most probable labels of a text, best first, without regard to any threshold.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="best">Receives as many as it can hold or as there are.</param>
    /// <returns>How many were written; at least 1 when <paramref name="best"/> is not empty.</returns>
    public int Rank(ReadOnlySpan<byte> utf8, Span<IdentifiedLanguage> best)
    {
        if (best.IsEmpty) return 0;
        if (utf8.Length > MostBytes) utf8 = utf8[..MostBytes];
        int* sums = stackalloc int[2 * Width];
        new Span<int>(sums, 2 * Width).Clear();
        var (counts, features) = Sum(utf8, sums);
        return Decide(counts, features, sums, best);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    [SkipLocalsInit]
    private (TextCounts Counts, (int Latin, int Cyrillic) Features) Sum(ReadOnlySpan<byte> text, int* sums)
    {
        byte* buffer = stackalloc byte[TextScanner.BufferBytes];
        ulong* written = stackalloc ulong[2 * Batch];
        var latin = new Span<ulong>(written, Batch);
        var cyrillic = new Span<ulong>(written + Batch, Batch);
        var scanner = new TextScanner(text, new Span<byte>(buffer, TextScanner.BufferBytes));
        int latinCount = 0, cyrillicCount = 0, latinFeatures = 0, cyrillicFeatures = 0, mixed = 0;
        while (scanner.MoveNext())
        {
            if (scanner.IsCyrillic) cyrillicCount += WordFeatures.Write(scanner.Word, cyrillic[cyrillicCount..]);
            else
            {
                latinCount += WordFeatures.Write(scanner.Word, latin[latinCount..]);
                if (scanner.IsMixedCase) mixed++;
            }

            if (latinCount > FullBatch) Empty(_model.Latin, latin, ref latinCount, ref latinFeatures, sums);
            if (cyrillicCount > FullBatch) Empty(_model.Cyrillic, cyrillic, ref cyrillicCount, ref cyrillicFeatures, sums + Width);
        }

        var counts = scanner.Counts;
        latinCount += SignCounts.Of(counts, mixed).Write(latin[latinCount..]);
        Empty(_model.Latin, latin, ref latinCount, ref latinFeatures, sums);
        Empty(_model.Cyrillic, cyrillic, ref cyrillicCount, ref cyrillicFeatures, sums + Width);
        return (counts, (latinFeatures, cyrillicFeatures));
    }

    private static void Empty(ScoreTable table, Span<ulong> features, ref int count, ref int all, int* sums)
    {
        table.Add(features[..count], sums);
        all += count;
        count = 0;
    }

    // Names and quotations in Latin letters are common in text of the other scripts, and not the other way round: their letters count twice.
    private int Decide(TextCounts counts, (int Latin, int Cyrillic) features, int* sums, Span<IdentifiedLanguage> best)
    {
        int cyrillic = 2 * counts.Cyrillic, greek = 2 * counts.Greek, georgian = 2 * counts.Georgian, other = 2 * counts.OtherScript;
        int most = Math.Max(Math.Max(counts.Latin, cyrillic), Math.Max(Math.Max(greek, georgian), other));
        if (most == 0)
        {
            best[0] = counts.Digits + counts.Signs + counts.Broken > 0 ? new IdentifiedLanguage(NoLanguage, 1) : new IdentifiedLanguage(Unknown, 0);
            return 1;
        }

        double share = (double)most / (counts.Latin + cyrillic + greek + georgian + other);
        if (most == counts.Latin) return Order(_model.Latin, _latin, sums, features.Latin, share, best);
        if (most == cyrillic) return Order(_model.Cyrillic, _cyrillic, sums + Width, features.Cyrillic, share, best);
        best[0] = new IdentifiedLanguage(most == greek ? "el" : most == georgian ? "ka" : Unknown, share);
        return 1;
    }

    private static int Order(ScoreTable table, string[] labels, int* sums, int features, double share, Span<IdentifiedLanguage> best)
    {
        double* odds = stackalloc double[Width];
        double divisor = Math.Sqrt(features) * table.Temperatures[Math.Min(System.Numerics.BitOperations.Log2((uint)features), table.Temperatures.Length - 1)];
        double greatest = double.NegativeInfinity, total = 0;
        for (int column = 0; column < labels.Length; column++)
        {
            odds[column] = sums[column] * (double)table.Scales[column] / divisor;
            greatest = Math.Max(greatest, odds[column]);
        }

        for (int column = 0; column < labels.Length; column++)
        {
            odds[column] = odds[column] - greatest < -40 ? 0 : Numerics.Exp(odds[column] - greatest);
            total += odds[column];
        }

        int written = 0;
        while (written < best.Length && written < labels.Length)
        {
            int top = 0;
            for (int column = 1; column < labels.Length; column++)
                if (odds[column] > odds[top]) top = column;
            best[written++] = new IdentifiedLanguage(labels[top], odds[top] / total * share);
            odds[top] = -1;
        }

        return written;
    }

    private static string Shown(string label) => label is NoLanguage ? NoLanguage : LanguageCatalog.Identified.FirstOrDefault(language => language.Code == label)?.Code ?? Unknown;
}
