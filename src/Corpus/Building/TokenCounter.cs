using System.Text;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Counts the tokens of documents, for budgets and reports.</summary>
/// <param name="tokenizer">The tokenizer.</param>
internal sealed class TokenCounter(Tokenizer tokenizer)
{
    [ThreadStatic]
    private static List<int>? _ids;

    /// <summary>The document with its tokens counted.</summary>
    public PassingDocument Counted(PassingDocument passing)
    {
        if (passing.Tokens is not null) return passing;
        List<int> ids = _ids ??= [];
        ids.Clear();
        tokenizer.Encode(Encoding.UTF8.GetBytes(passing.Document.Text), ids);
        return passing with { Tokens = ids.Count };
    }
}
