using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>Cosines and sines of all positions for the settings in use, computed once in double precision.</summary>
/// <remarks>Layers may alternate between settings (Gemma's local and global ones do), so several tables are kept.</remarks>
/// <param name="outline">True: tables are counted and not made.</param>
internal sealed unsafe class RotaryTables(bool outline = false) : IDisposable
{
    private const int Kept = 8;

    private readonly List<Table> tables = new(Kept);
    private int oldest;

    /// <summary>Bytes of all tables.</summary>
    public long Bytes
    {
        get
        {
            var sum = 0L;
            foreach (var table in tables) sum += sizeof(float) * (long)table.Positions * Rotary.TableWidth(table.Settings, table.HeadDimension);
            return sum;
        }
    }

    /// <summary>The table of some settings, with rows for at least <paramref name="positions"/> positions; valid until the next call.</summary>
    public float* Require(in RotarySettings settings, int headDimension, int positions)
    {
        var place = Find(settings, headDimension);
        if (place >= 0 && tables[place].Positions >= positions) return (float*)tables[place].Data;
        var room = Math.Max(256, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)positions));
        var data = outline ? null : Arena.AllocateZeroed((long)room * Rotary.TableWidth(settings, headDimension));
        if (!outline) Rotary.FillTable(settings, headDimension, room, data);
        var table = new Table(settings, headDimension, room, (nint)data);
        if (place < 0 && tables.Count < Kept)
        {
            tables.Add(table);
            return data;
        }
        if (place < 0) (place, oldest) = (oldest, (oldest + 1) % Kept);
        Arena.Free((void*)tables[place].Data);
        tables[place] = table;
        return data;
    }

    public void Dispose()
    {
        foreach (var table in tables) Arena.Free((void*)table.Data);
        tables.Clear();
    }

    private int Find(in RotarySettings settings, int headDimension)
    {
        for (var i = 0; i < tables.Count; i++)
            if (tables[i].HeadDimension == headDimension && tables[i].Settings == settings) return i;
        return -1;
    }

    private readonly record struct Table(RotarySettings Settings, int HeadDimension, int Positions, nint Data);
}
