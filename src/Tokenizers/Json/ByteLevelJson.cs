using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The fields of ByteLevel, the same for pre-tokenizer, post-processor and decoder.</summary>
internal static class ByteLevelJson
{
    public static void Write(Utf8JsonWriter json, bool addPrefixSpace, bool trimOffsets, bool useRegex)
    {
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", addPrefixSpace);
        json.WriteBoolean("trim_offsets", trimOffsets);
        json.WriteBoolean("use_regex", useRegex);
    }
}
