using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>What one schema costs.</summary>
/// <param name="Name">What the schema shows.</param>
/// <param name="States">States of its automaton.</param>
/// <param name="CompileSteps">Steps of compiling, as the budget counts them.</param>
/// <param name="CompileMilliseconds">Time to compile it, the vocabulary's tree not counted; the median of several.</param>
/// <param name="Tokens">Tokens of the answers that were gone over.</param>
/// <param name="TokenSteps">Steps a token in one answer, as the budget counts them; the mean.</param>
/// <param name="FirstMedian">Microseconds a token in the first answer of all: masks are computed.</param>
/// <param name="First99">The 99th percentile of the same.</param>
/// <param name="LaterMedian">Microseconds a token in later answers: masks are known.</param>
/// <param name="Later99">The 99th percentile of the same.</param>
public sealed record GrammarCost(
    string Name, int States, int CompileSteps, double CompileMilliseconds, int Tokens, double TokenSteps, double FirstMedian, double First99, double LaterMedian, double Later99);

/// <summary>Measures what it costs to hold answers to a schema: finding the tokens that may come, and taking all others away.</summary>
public static class GrammarMeasurement
{
    private static readonly (string Name, string Schema, string Answer)[] _cases =
    [
        ("record", """
            {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":130},"role":{"enum":["citizen","official","company"]},
            "married":{"type":"boolean"},"note":{"type":["string","null"]}},"required":["name","age","role","married","note"],"additionalProperties":false}
            """,
            """{"name": "Božena Němcová", "age": 42, "role": "citizen", "married": true, "note": "Bydlí v Praze, píše pohádky a \"Babičku\"; dále nic."}"""),
        ("bounded texts", """
            {"type":"object","properties":{"title":{"type":"string","minLength":3,"maxLength":80},"summary":{"type":"string","maxLength":400},
            "day":{"type":"string","format":"date"},"mail":{"type":"string","format":"email"},"sign":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3,6}$"}},
            "required":["title","summary","day","mail","sign"],"additionalProperties":false}
            """,
            """{"title":"Ανακοίνωση του δήμου","summary":"Ο δήμος ανακοινώνει ότι η πλατεία θα παραμείνει κλειστή κατά τη διάρκεια των έργων. Das Rathaus bleibt geöffnet, die Parkplätze nicht.","day":"2026-11-30","mail":"info@athens.example.gr","sign":"GR-20261"}"""),
        ("lists and recursion", """
            {"type":"object","properties":{"number":{"type":"string","pattern":"^\\d{4}/\\d+$"},"lines":{"type":"array","minItems":1,"items":{"type":"object","properties":{
            "text":{"type":"string"},"pieces":{"type":"integer","minimum":1},"price":{"type":"number","minimum":0}},"required":["text","pieces","price"],"additionalProperties":false}},
            "parts":{"$ref":"#/$defs/part"}},"required":["number","lines","parts"],"additionalProperties":false,"$defs":{"part":{"type":"object","properties":{"name":{"type":"string"},
            "parts":{"type":"array","items":{"$ref":"#/$defs/part"}}},"required":["name","parts"],"additionalProperties":false}}}
            """,
            """{"number":"2026/117","lines":[{"text":"Papier, weiß, A4","pieces":12,"price":4.35},{"text":"Kalamářský inkoust","pieces":1,"price":120.5}],"parts":{"name":"kancelář","parts":[{"name":"stůl","parts":[{"name":"noha","parts":[]}]},{"name":"židle","parts":[]}]}}"""),
        ("alternatives", """
            {"anyOf":[{"type":"object","properties":{"kind":{"const":"move"},"x":{"type":"number"},"y":{"type":"number"}},"required":["kind","x","y"],"additionalProperties":false},
            {"type":"object","properties":{"kind":{"const":"say"},"text":{"type":"string"}},"required":["kind","text"],"additionalProperties":false},
            {"type":"object","properties":{"kind":{"const":"ask"},"text":{"type":"string"},"choices":{"type":"array","items":{"type":"string","maxLength":40},"maxItems":5}},
            "required":["kind","text","choices"],"additionalProperties":false}]}
            """,
            """{"kind":"ask","text":"Czy mam zamknąć sprawę?","choices":["tak","nie","zapytaj później"]}"""),
        ("any object", """{"type":"object"}""",
            """{"riik": "Eesti", "elanikke": 1374687, "linnad": ["Tallinn", "Tartu", "Narva"], "liikmed": {"EL": true, "NATO": true}, "pindala": 45339.0}"""),
        ("thousand values", "", """{"word":"value 777"}"""),
    ];

    /// <summary>Measures all cases.</summary>
    /// <param name="tokenizer">A tokenizer whose tokens are simply put together.</param>
    /// <param name="vocabularySize">Tokens that the masks are computed for: the tokenizer's, and behind them pairs of its tokens, put together by chance.</param>
    /// <param name="rounds">Answers whose masks are known.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="told">Receives each case as it is done.</param>
    /// <param name="cancellation">Ends the work between two cases.</param>
    /// <returns>Milliseconds to build the vocabulary's tree, once for a model.</returns>
    public static double Run(Tokenizer tokenizer, int vocabularySize, int rounds, IClock clock, Action<GrammarCost> told, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(told);
        byte[][] tokens = Tokens(tokenizer, vocabularySize);
        long began = clock.Timestamp;
        var trie = new TokenTrie(tokens);
        _ = trie.Strings;
        double building = clock.SecondsSince(began) * 1e3;
        Measure(trie, tokenizer, _cases[0], 1, clock); // the runtime compiles what it will measure
        foreach (var one in _cases)
        {
            cancellation.ThrowIfCancellationRequested();
            told(Measure(trie, tokenizer, one, rounds, clock));
        }

        return building;
    }

    private static GrammarCost Measure(TokenTrie trie, Tokenizer tokenizer, (string Name, string Schema, string Answer) one, int rounds, IClock clock)
    {
        string schema = one.Schema.Length > 0 ? one.Schema
            : "{\"type\":\"object\",\"properties\":{\"word\":{\"enum\":[" +
              string.Join(',', Enumerable.Range(0, 1000).Select(i => string.Create(CultureInfo.InvariantCulture, $"\"value {i}\""))) + "]}},\"required\":[\"word\"]}";
        var form = new AnswerForm(new Grammar.JsonSchema(schema, Strict: false), null, null);
        Automaton automaton = null!;
        var compiling = new double[7];
        for (int i = 0; i < compiling.Length; i++)
        {
            long began = clock.Timestamp;
            automaton = AnswerCompiler.Compile(form, Encoding.UTF8.GetBytes, new GrammarLimits());
            compiling[i] = clock.SecondsSince(began) * 1e3;
        }

        var matcher = new GrammarMatcher(automaton, trie);
        int[] answer = tokenizer.Encode(one.Answer, allowSpecial: false).ToArray();
        var logits = new float[trie.VocabularySize];
        var first = new List<double>();
        var later = new List<double>();
        long steps = 0;
        for (int round = 0; round <= rounds; round++)
        {
            var grammar = new AnswerGrammar(matcher, []);
            foreach (int id in answer)
            {
                Array.Clear(logits);
                long began = clock.Timestamp;
                grammar.Mask(logits);
                bool allowed = logits[id] == 0;
                if (allowed) grammar.Add(id);
                (round == 0 ? first : later).Add(clock.SecondsSince(began) * 1e6);
                if (!allowed) throw new InvalidOperationException($"the token {id} is not allowed in the case '{one.Name}'");
            }

            steps = grammar.Work;
            if (!grammar.IsComplete) throw new InvalidOperationException($"the answer to the case '{one.Name}' is not complete");
        }

        return new GrammarCost(one.Name, automaton.States, automaton.Work, At(compiling, 0.5), answer.Length, (double)steps / answer.Length, At(first, 0.5), At(first, 0.99), At(later, 0.5), At(later, 0.99));
    }

    private static double At(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(int)Math.Min(sorted.Length - 1, Math.Floor(share * sorted.Length))];
    }

    private static byte[][] Tokens(Tokenizer tokenizer, int vocabularySize)
    {
        var tokens = new List<byte[]>();
        for (int id = 0; id < tokenizer.VocabularySize; id++) tokens.Add(!tokenizer.Contains(id) || tokenizer.IsSpecial(id) ? [] : tokenizer.TokenBytes(id));
        var known = new HashSet<string>(tokens.Select(Convert.ToHexString), StringComparer.Ordinal);
        var random = new CounterRandom(1, 0);
        for (ulong i = 0; tokens.Count < vocabularySize; i += 2)
        {
            byte[] pair = [.. Drawn(i), .. Drawn(i + 1)];
            if (pair.Length is > 0 and <= 24 && known.Add(Convert.ToHexString(pair))) tokens.Add(pair);
        }

        return [.. tokens];

        byte[] Drawn(ulong index) => tokens[(int)(random.UniformAt(index) * tokenizer.VocabularySize)];
    }
}
