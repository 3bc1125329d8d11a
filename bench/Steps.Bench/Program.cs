using System.Globalization;
using OpenEuroLLM.Steps.Bench;

// Measures what the steps of the corpus drop and cut, per language, and prints Markdown:
//   dotnet run -c Release --project bench/Steps.Bench -- stop-words CORPUS SENTENCES.tsv.gz
//   dotnet run -c Release --project bench/Steps.Bench -- segments CORPUS SENTENCES.tsv.gz [CONFIDENCE [CLOSE-CONFIDENCE]]
//   dotnet run -c Release --project bench/Steps.Bench -- rules CORPUS
//   dotnet run -c Release --project bench/Steps.Bench -- speed CORPUS
// CORPUS is a folder of LANGUAGE.jsonl.gz; SENTENCES has a language and a sentence a line, of which neither bounds nor models have seen any.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["stop-words", var corpus, var sentences]:
        StopWordMeasuring.Run(corpus, Texts.Sentences(sentences));
        return 0;
    case ["segments", var corpus, var sentences, .. var bounds]:
        SegmentMeasuring.Run(corpus, Texts.Sentences(sentences), bounds.Length > 0 ? double.Parse(bounds[0], CultureInfo.InvariantCulture) : null, bounds.Length > 1 ? double.Parse(bounds[1], CultureInfo.InvariantCulture) : null);
        return 0;
    case ["rules", var corpus]:
        RuleMeasuring.Run(corpus);
        return 0;
    case ["speed", var corpus]:
        SpeedMeasuring.Run(corpus);
        return 0;
    default:
        Console.Error.WriteLine("Expected: stop-words CORPUS SENTENCES, or segments CORPUS SENTENCES [CONFIDENCE [CLOSE-CONFIDENCE]], or rules CORPUS, or speed CORPUS.");
        return 2;
}
