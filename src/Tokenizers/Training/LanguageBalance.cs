using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Weighs languages so that none falls behind: the more tokens a language needs for the same content, the more its pairs count. The idea of
/// choosing merges for the language that is worst off is that of arXiv:2508.04796; here it is a weight, so that a pair that serves several languages gains.</summary>
/// <param name="languages">What is known of each.</param>
/// <param name="parity">From 0, where languages count as much as their text, to 1, where the one that is worst off nearly decides alone.</param>
internal sealed class LanguageBalance(IReadOnlyList<BalancedLanguage> languages, double parity)
{
    /// <summary>At parity 1 a language that needs so many percent more tokens than the average counts (1 + that)^Strength times as much.</summary>
    private const double Strength = 16;

    private const int WeightBits = 30;
    private const int EpochShare = 64;           // weights follow when the vocabulary has grown by one part in so many

    private readonly long[] _tokens = new long[languages.Count];
    private readonly long[] _weights = new long[languages.Count];
    private readonly long[] _lowest = new long[languages.Count];
    private int _due;

    /// <summary>How much a unit of weight counts in each language.</summary>
    public ReadOnlySpan<long> Weights => _weights;

    /// <summary>The most that any language's weight has grown since <see cref="BeginGrowth"/>; at least 1.</summary>
    public double Growth { get; private set; } = 1;

    /// <summary>Adds to the tokens that a language's measured text takes.</summary>
    public void AddTokens(int language, long tokens) => _tokens[language] += tokens;

    /// <summary>Tokens that the language takes for a unit of content; null where nothing is measured.</summary>
    public double? TokensPerContent(int language) =>
        languages[language].MeasuredContent > 0 ? _tokens[language] / languages[language].MeasuredContent : null;

    public bool IsDue(int vocabulary) => vocabulary >= _due;

    /// <summary>Takes the weights from what the languages need now.</summary>
    public void Reweigh(int vocabulary)
    {
        _due = vocabulary + Math.Max(1, vocabulary / EpochShare);
        double logSum = 0;
        int measured = 0;
        for (int i = 0; i < languages.Count; i++)
        {
            if (TokensPerContent(i) is not > 0)
                continue;
            logSum += Numerics.Log(TokensPerContent(i)!.Value);
            measured++;
        }
        double[] logarithms = new double[languages.Count];
        for (int i = 0; i < languages.Count; i++)
        {
            double behind = TokensPerContent(i) is > 0 and double tokens ? Numerics.Log(tokens) - logSum / measured : 0;
            logarithms[i] = (1 - parity) * Numerics.Log(languages[i].FrequencyWeight) + parity * (Strength * behind - Numerics.Log(languages[i].TrainingContent));
        }
        double largest = logarithms.Max();
        for (int i = 0; i < languages.Count; i++)
        {
            _weights[i] = Math.Max(1, (long)Math.Round((1L << WeightBits) * Numerics.Exp(logarithms[i] - largest), MidpointRounding.ToEven));
            Growth = Math.Max(Growth, (double)_weights[i] / Math.Max(1, _lowest[i]));
            _lowest[i] = Math.Min(_lowest[i], _weights[i]);
        }
    }

    /// <summary>Measures growth from here.</summary>
    public void BeginGrowth()
    {
        _weights.CopyTo(_lowest, 0);
        Growth = 1;
    }
}

/// <summary>A language in the balance.</summary>
/// <param name="Language">Its key.</param>
/// <param name="FrequencyWeight">How much its text counts without any balance.</param>
/// <param name="TrainingContent">The content of its weighted training text.</param>
/// <param name="MeasuredContent">The content of the text on which it is compared; 0 when there is none.</param>
internal sealed record BalancedLanguage(string Language, double FrequencyWeight, double TrainingContent, double MeasuredContent);
