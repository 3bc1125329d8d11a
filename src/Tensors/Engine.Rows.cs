using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors;

/// <summary>Operations on rows: biases, norms, learned positions, factors, parts of rows.</summary>
public sealed unsafe partial class Engine
{
    /// <summary>x + bias in each row, in the memory of <paramref name="x"/>, which cannot be read afterwards.</summary>
    /// <param name="x">(rows, width), a product that nothing else uses.</param>
    /// <param name="bias">One number for each column.</param>
    /// <exception cref="InvalidOperationException">The memory of <paramref name="x"/> is needed elsewhere: it is the input of a segment.</exception>
    public Tensor AddBias(Tensor x, Weight bias)
    {
        ExpectVector(x, bias, x.Columns);
        var y = TakeOver(x);
        backend.AddBias(Data(y), y.Rows, bias);
        if (Recording)
        {
            ExpectTrainable(bias);
            ref var entry = ref tape.Add(Operation.AddBias);
            (entry.A, entry.Output, entry.Rows, entry.Weight) = (x.Slot, y.Slot, x.Rows, bias);
        }
        return y;
    }

    /// <summary>Layer norm of each row: (x − mean) / √(variance + epsilon) · gain + bias. Source: arXiv:1607.06450.</summary>
    /// <param name="x">(rows, width).</param>
    /// <param name="gain">One number for each column.</param>
    /// <param name="bias">As <paramref name="gain"/>; null: none.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public Tensor LayerNorm(Tensor x, Weight gain, Weight? bias, double epsilon)
    {
        ExpectVector(x, gain, x.Columns);
        if (bias is not null) ExpectVector(x, bias, x.Columns);
        var y = Take(x.Rows, x.Columns);
        var statistics = Take(2, x.Rows);
        backend.LayerNorm(Data(x), x.Rows, gain, bias, (float)epsilon, Data(y), Data(statistics));
        if (Recording)
        {
            ExpectTrainable(gain);
            if (bias is not null) ExpectTrainable(bias);
            ref var entry = ref tape.Add(Operation.LayerNorm);
            (entry.A, entry.Extra, entry.Output, entry.Rows, entry.Weight, entry.Second) = (x.Slot, statistics.Slot, y.Slot, x.Rows, gain, bias);
        }
        return y;
    }

    /// <summary>Root-mean-square norm of each head of each row, times one gain for all heads: the norm of queries and keys in Qwen 3 and Gemma 3.</summary>
    /// <param name="x">(rows, heads · head dimension).</param>
    /// <param name="gain">One number for each of a head's.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="gainPlusOne">The gain is stored as its distance from 1, as Gemma does.</param>
    public Tensor HeadNorm(Tensor x, Weight gain, double epsilon, bool gainPlusOne = false)
    {
        ExpectVector(x, gain, gain.Columns);
        if (x.Columns % gain.Columns != 0)
            throw new ArgumentException(FormattableString.Invariant($"{gain.Name}: the input is {x.Shape}; expected a multiple of {gain.Columns} columns"));
        return Norm(x, x.Rows * (x.Columns / gain.Columns), gain, epsilon, gainPlusOne);
    }

    /// <summary>x · factor.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="factor">Rounded to single precision first; finite.</param>
    public Tensor Scale(Tensor x, double factor)
    {
        if (!float.IsFinite((float)factor)) throw new ArgumentOutOfRangeException(nameof(factor), factor, "expected a finite number");
        var y = Take(x.Rows, x.Columns);
        backend.Scale(Data(x), x.Shape.Count, (float)factor, Data(y), resume: false);
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.Scale);
            (entry.A, entry.Output, entry.Factor) = (x.Slot, y.Slot, (float)factor);
        }
        return y;
    }

    /// <summary>A copy of some columns: queries, keys or values of a fused product, gate or up of another.</summary>
    /// <param name="x">(rows, width).</param>
    /// <param name="first">First column.</param>
    /// <param name="count">Columns.</param>
    public Tensor Columns(Tensor x, int first, int count)
    {
        if (first < 0 || count < 1 || count > x.Columns - first)
            throw new ArgumentException(FormattableString.Invariant($"columns: {count} from {first} on do not lie in {x.Shape}"));
        var y = Take(x.Rows, count);
        backend.Columns(Data(x), x.Rows, x.Columns, first, count, Data(y));
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.Columns);
            (entry.A, entry.Output, entry.Rows, entry.First) = (x.Slot, y.Slot, x.Rows, first);
        }
        return y;
    }

    /// <summary>Adds to each row the table's row for its position in its sequence, in the memory of <paramref name="x"/>, which cannot be read
    /// afterwards: learned absolute positions, as GPT-2 has them.</summary>
    /// <param name="x">(rows, width), an embedding that nothing else uses.</param>
    /// <param name="table">(positions, width).</param>
    /// <param name="layout">The rows' sequences.</param>
    /// <exception cref="UserErrorException">A position is beyond the table.</exception>
    public Tensor AddPositions(Tensor x, Weight table, SequenceLayout layout)
    {
        Expect(x.Columns == table.Columns, x, table.Name, table.Columns);
        if (layout.Rows != x.Rows) throw new ArgumentException(FormattableString.Invariant($"positions: the layout has {layout.Rows} rows, the input {x.Rows}"));
        if (layout.LastPosition >= table.Rows)
            throw new UserErrorException(FormattableString.Invariant(
                $"{table.Name}: a sequence of {layout.LastPosition + 1} tokens has no positions beyond {table.Rows}, the model's context; shorten the text."));
        var ids = NewSlot(x.Rows);
        if (!IsOutline)
        {
            var positions = (int*)slots[ids].Data;
            foreach (var sequence in layout.Entries)
                for (var r = 0; r < sequence.RowCount; r++) positions[sequence.FirstRow + r] = sequence.FirstPosition + r;
        }
        var rows = Embed(ids, x.Rows, table);
        var y = Residual(rows, x);
        // The sum's way back needs no values.
        arena.Give(slots[rows.Slot].Data, slots[rows.Slot].Count);
        slots[rows.Slot].Data = null;
        return y;
    }

    private Tensor Norm(Tensor x, int rows, Weight gain, double epsilon, bool gainPlusOne)
    {
        var y = Take(x.Rows, x.Columns);
        var inverse = Take(rows, 1);
        backend.RmsNorm(Data(x), rows, gain, gainPlusOne, (float)epsilon, Data(y), Data(inverse));
        if (Recording)
        {
            ExpectTrainable(gain);
            ref var entry = ref tape.Add(Operation.RmsNorm);
            (entry.A, entry.Extra, entry.Output, entry.Rows, entry.Weight) = (x.Slot, inverse.Slot, y.Slot, rows, gain);
            entry.GainPlusOne = gainPlusOne;
        }
        return y;
    }

    /// <summary>A tensor in the memory of another, which cannot be read afterwards.</summary>
    private Tensor TakeOver(Tensor x)
    {
        var data = Data(x);
        if (x.Slot < floor) throw new InvalidOperationException("the input of a segment is needed to compute it again; its memory cannot be taken over");
        slots[x.Slot].Data = null;
        return new Tensor(this, NewSlot(data, x.Shape.Count), x.Shape);
    }

    private static void ExpectVector(Tensor x, Weight vector, int columns)
    {
        Expect(vector.Columns == columns, x, vector.Name, vector.Columns);
        if (vector.Rows != 1 || vector.IsPacked) throw new ArgumentException($"{vector.Name} is a matrix or packed; expected a vector");
    }

    private void BackLayerNorm(in TapeEntry entry, float* dy) =>
        backend.LayerNormGradient(Needed(entry.A), slots[entry.Extra].Data, dy, entry.Rows, entry.Weight!, entry.Second, Gradient(entry.A, out var there), there);

    private void BackColumns(in TapeEntry entry, float* dy)
    {
        var (width, count) = ((int)(slots[entry.A].Count / entry.Rows), (int)(slots[entry.Output].Count / entry.Rows));
        backend.ColumnsGradient(dy, entry.Rows, width, entry.First, count, Gradient(entry.A, out var there), there);
    }
}
