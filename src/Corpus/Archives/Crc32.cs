using System.Buffers.Binary;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>The checksum of gzip (reflected polynomial EDB88320), eight bytes at a step. Source: RFC 1952, section 8.</summary>
internal static class Crc32
{
    private static readonly uint[][] Tables = Build();

    /// <summary>The checksum after further bytes; it begins with 0.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~checksum;
        uint[] t0 = Tables[0], t1 = Tables[1], t2 = Tables[2], t3 = Tables[3], t4 = Tables[4], t5 = Tables[5], t6 = Tables[6], t7 = Tables[7];
        while (bytes.Length >= 8)
        {
            ulong block = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            crc = t7[(byte)block] ^ t6[(byte)(block >> 8)] ^ t5[(byte)(block >> 16)] ^ t4[(byte)(block >> 24)]
                ^ t3[(byte)(block >> 32)] ^ t2[(byte)(block >> 40)] ^ t1[(byte)(block >> 48)] ^ t0[(byte)(block >> 56)];
            bytes = bytes[8..];
        }
        foreach (byte value in bytes) crc = t0[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[][] Build()
    {
        var tables = new uint[8][];
        for (int table = 0; table < 8; table++)
        {
            tables[table] = new uint[256];
            for (uint i = 0; i < 256; i++)
            {
                uint crc = table == 0 ? i : tables[table - 1][i];
                if (table > 0) crc = tables[0][(byte)crc] ^ (crc >> 8);
                else for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
                tables[table][i] = crc;
            }
        }
        return tables;
    }
}
