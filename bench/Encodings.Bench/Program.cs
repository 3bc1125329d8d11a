using OpenEuroLLM.Encodings.Bench;

// Makes the model of letters, and measures how well it finds encodings:
//   dotnet run -c Release --project bench/Encodings.Bench -- train CORPUS src/Corpus/Encodings/letters.bin
//   dotnet run -c Release --project bench/Encodings.Bench -- measure SENTENCES.tsv.gz [WINDOWS.jsonl]
//   dotnet run -c Release --project bench/Encodings.Bench -- unpack FILE.warc.gz     how fast one thread reads an archive
// CORPUS is a folder of LANGUAGE.jsonl.gz; SENTENCES has a language and a sentence a line; WINDOWS is what bench/peers/encodings.mjs reads.
switch (args)
{
    case ["train", var corpus, var target]:
        using (FileStream file = File.Create(target)) Training.Train(corpus).Write(file);
        Console.WriteLine($"{target}: {new FileInfo(target).Length} bytes");
        return 0;
    case ["measure", var sentences, .. var rest]:
        Measuring.Run(sentences, rest.Length > 0 ? rest[0] : null);
        return 0;
    case ["unpack", var archive]:
        Unpacking.Run(archive);
        return 0;
    default:
        Console.Error.WriteLine("Expected: train CORPUS TARGET, or measure SENTENCES [WINDOWS], or unpack ARCHIVE.");
        return 2;
}
