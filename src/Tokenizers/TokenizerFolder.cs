using System.Buffers;
using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What a tokenizer's files hold beside the tokens, for tokenizers that are made here.</summary>
/// <param name="PostProcessor">Adds control tokens for those who ask; null for none.</param>
/// <param name="Configuration">The bytes of <c>tokenizer_config.json</c>; null writes this project's own.</param>
internal sealed record TokenizerSurroundings(IPostProcessor? PostProcessor = null, byte[]? Configuration = null);

/// <summary>A tokenizer's files in a model folder: <c>tokenizer.json</c>, else the files of the time before, else a SentencePiece model, else ranks of tiktoken.</summary>
internal static class TokenizerFolder
{
    public const string TokenizerName = "tokenizer.json";
    public const string ConfigurationName = "tokenizer_config.json";
    public const string SentencePieceName = "tokenizer.model";
    private const string SentencePieceExtension = ".model";
    private const long MaximumBytes = 1L << 29;

    public static Tokenizer Load(string path)
    {
        bool isFolder = Directory.Exists(path);
        string folder = isFolder ? path : Path.GetDirectoryName(path) ?? "";
        string file = isFolder ? FileIn(path) : path;
        if (file.EndsWith(TiktokenFile.Extension, StringComparison.OrdinalIgnoreCase))
            return TiktokenFile.Load(file);
        if (file.EndsWith(SentencePieceExtension, StringComparison.OrdinalIgnoreCase))
        {
            // Llama 3 has its ranks under the name of SentencePiece's files.
            byte[] model = Read(file);
            return TiktokenFile.Looks(model) ? TiktokenFile.Parse(model, file) : SentencePieceTokenizer.Parse(model, file);
        }
        string configuration = Path.Combine(folder, ConfigurationName);
        byte[]? configurationJson = File.Exists(configuration) ? Read(configuration) : null;
        return isFolder && !File.Exists(file) && LegacyTokenizer.IsIn(folder) ? LegacyTokenizer.Load(folder, Read, configurationJson)
            : TokenizerJson.Parse(Read(file), file, configurationJson);
    }

    public static void Save(Tokenizer tokenizer, string folder)
    {
        Write(Path.Combine(folder, TokenizerName), TokenizerJson.Write(tokenizer));
        Write(Path.Combine(folder, ConfigurationName), tokenizer.Configuration ?? Configuration(tokenizer));
        if (tokenizer.Parts.Model is SentencePieceSettings model)
            Write(Path.Combine(folder, SentencePieceName), SentencePieceFormat.Write(model.Vocabulary.File));
    }

    private static string FileIn(string folder)
    {
        string file = Path.Combine(folder, TokenizerName), model = Path.Combine(folder, SentencePieceName);
        if (File.Exists(file) || LegacyTokenizer.IsIn(folder))
            return file;
        return File.Exists(model) ? model : Directory.EnumerateFiles(folder, "*" + TiktokenFile.Extension).Order(StringComparer.Ordinal).FirstOrDefault(file);
    }

    private static byte[] Configuration(Tokenizer tokenizer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, TokenizerJson.Writing))
        {
            json.WriteStartObject();
            json.WriteBoolean("add_bos_token", true);
            json.WriteBoolean("add_eos_token", false);
            WriteIfPresent(json, "bos_token", SpecialTokens.BeginOfText);
            json.WriteBoolean("clean_up_tokenization_spaces", false);
            WriteIfPresent(json, "eos_token", SpecialTokens.EndOfText);
            WriteIfPresent(json, "pad_token", SpecialTokens.Padding);
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();

        void WriteIfPresent(Utf8JsonWriter json, string key, string content)
        {
            if (tokenizer.Added.Any(token => token.Content == content))
                json.WriteString(key, content);
        }
    }

    internal static byte[] Read(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > MaximumBytes)
                throw new UserErrorException($"{path}: the file has {length} bytes; expected at most {MaximumBytes}. Is it really a tokenizer?");
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private static void Write(string path, byte[] bytes)
    {
        try
        {
            File.WriteAllBytes(path, bytes);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }
}
