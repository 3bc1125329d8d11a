namespace OpenEuroLLM.Formats;

/// <summary>The fixed facts of a Megatron <c>.idx</c> file.</summary>
internal static class TokenShardHeader
{
    public const int Bytes = 34;
    public const ulong Version = 1;
    public const byte UInt8 = 1;
    public const byte Int32 = 4;
    public const byte UInt16 = 8;

    /// <summary>From this vocabulary size on, tokens are stored as int32: the rule of the programs that read such shards.</summary>
    public const int FirstInt32Vocabulary = 65_500;

    public static ReadOnlySpan<byte> Magic => "MMIDIDX\0\0"u8;
}
