using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference.Grammars;

namespace OpenEuroLLM.Inference.Tests.Grammars;

/// <summary>A grammar over a vocabulary of all bytes and of random pieces of JSON in several scripts, some of them parts of characters.</summary>
internal sealed class TestGrammar
{
    public const int ControlTokens = 4; // the first ids behind the bytes

    private static readonly byte[][] _tokens = Tokens();
    private readonly GrammarMatcher _matcher;

    public TestGrammar(string schema, bool strict = false, GrammarLimits? limits = null) : this(new AnswerForm(new Grammar.JsonSchema(schema, strict), null, null), limits) { }

    public TestGrammar(AnswerForm form, GrammarLimits? limits = null, Func<string, byte[]>? bytesOfMark = null)
    {
        Trie = new TokenTrie(_tokens);
        _matcher = new GrammarMatcher(AnswerCompiler.Compile(form, bytesOfMark ?? Encoding.UTF8.GetBytes, limits ?? new()), Trie);
    }

    public TokenTrie Trie { get; }

    public MatcherState Start => _matcher.Start;

    public MatcherState? After(MatcherState state, ReadOnlySpan<byte> bytes)
    {
        MatcherState? at = state;
        foreach (byte value in bytes)
            if ((at = _matcher.After(at!, value).Target) is null) return null;
        return at;
    }

    public bool Accepts(string text) => Accepts(Encoding.UTF8.GetBytes(text));

    public bool Accepts(byte[] text) => After(Start, text) is { MayEnd: true };

    public bool Allows(MatcherState state, int id) => (_matcher.MaskOf(state)[id >> 6] >> id & 1) != 0;

    /// <summary>Goes over a text in random tokens, each of which the mask must allow.</summary>
    public MatcherState? AfterTokens(byte[] text, CounterRandom random, Action<MatcherState>? look = null)
    {
        var state = Start;
        ulong drawn = 0;
        for (int at = 0; at < text.Length;)
        {
            look?.Invoke(state);
            int[] fitting = [.. Enumerable.Range(0, _tokens.Length).Where(id => _tokens[id].Length > 0 && text.AsSpan(at).StartsWith(_tokens[id]))];
            int id = fitting[(int)(random.UniformAt(drawn++) * fitting.Length)];
            if (!Allows(state, id)) return null;
            state = _matcher.After(state, id, out _);
            at += _tokens[id].Length;
        }

        look?.Invoke(state);
        return state;
    }

    /// <summary>The first token for which the mask says something else than going byte by byte; null for none.</summary>
    public int? FirstDifference(MatcherState state)
    {
        for (int id = 0; id < _tokens.Length; id++)
            if (Allows(state, id) != (_tokens[id].Length > 0 && After(state, _tokens[id]) is not null)) return id;
        return null;
    }

    private static byte[][] Tokens()
    {
        var tokens = new List<byte[]>();
        for (int value = 0; value < 256; value++) tokens.Add([(byte)value]);
        for (int i = 0; i < ControlTokens; i++) tokens.Add(TokenTrie.BytesOfControl(256 + i));
        tokens.Add([]);
        byte[] source = Encoding.UTF8.GetBytes(
            "{\"name\": \"Žluťoučký kůň úpěl ďábelské ódy 😀 ελληνικά български\", \"age\":12, \"kind\":\"circle\",\"value\":{\"next\": {\"next\":null}}, true,false,null ],[1.5e-3, [\"a\",\"ab\\n\\\"\\\\\"]}}" +
            " é ab abc only naïve \\u0001 2024-02-29T23:59:59Z fe80::1 [[1,\"x\"],{\"k\":1}] 00000000-0000-4000-8000 \":{\"\",\"\":\"\"}}]}\"}, \"");
        var random = new CounterRandom(5, 0);
        for (ulong i = 0; i < 1200; i++)
        {
            int length = 2 + (int)(random.UniformAt(2 * i) * 9), start = (int)(random.UniformAt(2 * i + 1) * (source.Length - length));
            tokens.Add(source[start..(start + length)]);
        }

        for (ulong i = 0; i < 60; i++)
        {
            int length = 30 + (int)(random.UniformAt(5000 + 2 * i) * 40), start = (int)(random.UniformAt(5001 + 2 * i) * (source.Length - length));
            tokens.Add(source[start..(start + length)]);
        }

        return [.. tokens];
    }
}
