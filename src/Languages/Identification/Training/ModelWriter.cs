using System.Buffers.Binary;
using System.Text;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>One table in full precision, with what is needed to write it.</summary>
internal sealed record TrainedTable(string[] Labels, ulong[] Places, float[] Weights, int Width, float[] Temperatures)
{
    public int Stride => (Labels.Length + 3) / 4 * 4;
}

/// <summary>Rounds weights to bytes and writes the model's file.</summary>
internal static class ModelWriter
{
    // The largest weights are few; cutting them gives the others finer steps.
    private const double KeptShare = 0.9995;

    public static byte[] Write(TrainedTable latin, TrainedTable cyrillic)
    {
        int described = IdentificationModel.DescriptionBytes(latin.Labels.Length) + IdentificationModel.DescriptionBytes(cyrillic.Labels.Length);
        var first = IdentificationModel.Lay(described, latin.Places.Length / ScoreTable.BucketRows, latin.Stride);
        var second = IdentificationModel.Lay(first.End, cyrillic.Places.Length / ScoreTable.BucketRows, cyrillic.Stride);
        byte[] rest = new byte[second.End];
        int position = 0;
        Describe(rest, ref position, latin, 0);
        Describe(rest, ref position, cyrillic, 1);
        Fill(rest, latin, first.Marks, first.Rows);
        Fill(rest, cyrillic, second.Marks, second.Rows);
        return [.. IdentificationModel.Head(rest), .. rest];
    }

    private static void Describe(byte[] rest, ref int position, TrainedTable table, int script)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rest.AsSpan(position), script);
        BinaryPrimitives.WriteInt32LittleEndian(rest.AsSpan(position + 4), table.Labels.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest.AsSpan(position + 8), table.Stride);
        BinaryPrimitives.WriteInt32LittleEndian(rest.AsSpan(position + 12), table.Places.Length / ScoreTable.BucketRows);
        position += 16;
        foreach (string label in table.Labels)
        {
            Encoding.ASCII.GetBytes(label, rest.AsSpan(position));
            position += IdentificationModel.LabelBytes;
        }

        foreach (float number in Scales(table).Concat(table.Temperatures))
        {
            BinaryPrimitives.WriteSingleLittleEndian(rest.AsSpan(position), number);
            position += sizeof(float);
        }
    }

    private static void Fill(byte[] rest, TrainedTable table, long marks, long rows)
    {
        float[] scales = Scales(table);
        for (int place = 0; place < table.Places.Length; place++)
        {
            if (table.Places[place] == 0) continue;
            BinaryPrimitives.WriteUInt16LittleEndian(rest.AsSpan((int)marks + place * sizeof(ushort)), ScoreTable.Mark(table.Places[place]));
            for (int column = 0; column < table.Labels.Length; column++)
                rest[rows + (long)place * table.Stride + column] = (byte)(sbyte)Math.Clamp(Math.Round(table.Weights[place * table.Width + column] / scales[column]), -sbyte.MaxValue, sbyte.MaxValue);
        }
    }

    private static float[] Scales(TrainedTable table)
    {
        var scales = new float[table.Labels.Length];
        var column = new float[table.Places.Length];
        for (int label = 0; label < scales.Length; label++)
        {
            for (int place = 0; place < column.Length; place++) column[place] = Math.Abs(table.Weights[place * table.Width + label]);
            Array.Sort(column);
            scales[label] = Math.Max(column[(int)((column.Length - 1) * KeptShare)], 1e-6f) / sbyte.MaxValue;
        }

        return scales;
    }
}
