using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Compiles the grammars of requests for one tokenizer and keeps the last ones. Safe for use from any thread; what it gives belongs to
/// the worker.</summary>
internal sealed class GrammarCache(Tokenizer tokenizer, GrammarLimits? limits = null)
{
    private const int MostGrammars = 8;

    private readonly Lock _gate = new();
    private readonly LinkedList<(Grammar Grammar, GrammarMatcher Matcher)> _recent = [];
    private readonly Lazy<TokenTrie> _trie = new(() => TokenTrie.Of(tokenizer), LazyThreadSafetyMode.PublicationOnly);

    /// <exception cref="RequestException">The schema cannot be kept, or the tokenizer allows no grammar.</exception>
    public GrammarMatcher Get(Grammar grammar)
    {
        lock (_gate)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (!node.Value.Grammar.Equals(grammar)) continue;
                _recent.Remove(node);
                _recent.AddFirst(node);
                return node.Value.Matcher;
            }
        }

        var matcher = new GrammarMatcher(Compile(grammar), _trie.Value); // outside the lock: a large schema takes a while
        lock (_gate)
        {
            _recent.AddFirst((grammar, matcher));
            if (_recent.Count > MostGrammars) _recent.RemoveLast();
        }

        return matcher;
    }

    private Automaton Compile(Grammar grammar)
    {
        try
        {
            return grammar switch
            {
                Grammar.JsonObject => SchemaCompiler.Compile("""{"type":"object"}""", strict: false, limits ?? new()),
                Grammar.JsonSchema { Schema: { } schema } some => SchemaCompiler.Compile(schema, some.Strict, limits ?? new()),
                _ => throw new RequestException("grammar", "grammar has no schema; expected the text of a JSON Schema."),
            };
        }
        catch (SchemaException exception)
        {
            throw new RequestException("grammar", "the schema, " + exception.Message);
        }
    }
}
