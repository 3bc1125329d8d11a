using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Compiles the forms of answers for one tokenizer and keeps the last ones. Safe for use from any thread; what it gives belongs to
/// the worker.</summary>
internal sealed class GrammarCache(Tokenizer tokenizer, GrammarLimits? limits = null)
{
    private const int MostGrammars = 8;

    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, GrammarMatcher Matcher)> _recent = [];
    private readonly Lazy<TokenTrie> _trie = new(() => TokenTrie.Of(tokenizer), LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The grammar of a form.</summary>
    /// <exception cref="RequestException">A schema cannot be kept, or the tokenizer allows no grammar.</exception>
    public GrammarMatcher Get(AnswerForm form)
    {
        string key = form.Key();
        lock (_gate)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Key != key) continue;
                _recent.Remove(node);
                _recent.AddFirst(node);
                return node.Value.Matcher;
            }
        }

        // Outside the lock: a large schema takes a while.
        var automaton = AnswerCompiler.Compile(form, mark => TokenTrie.BytesOfMark(tokenizer, mark), limits ?? new());
        var matcher = new GrammarMatcher(automaton, _trie.Value, form.Field);
        matcher.MaskOf(matcher.Start); // what is too ambiguous from the start is refused before an answer begins
        lock (_gate)
        {
            _recent.AddFirst((key, matcher));
            if (_recent.Count > MostGrammars) _recent.RemoveLast();
        }

        return matcher;
    }
}
