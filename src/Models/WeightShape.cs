using System.Globalization;

namespace OpenEuroLLM.Models;

/// <summary>What a weight is for: decides its first values and which storage suits it.</summary>
public enum WeightRole
{
    /// <summary>The table that turns tokens into states; with a tied head also the matrix that turns states into logits.</summary>
    Embedding,

    /// <summary>The table of learned positions.</summary>
    Positions,

    /// <summary>The matrix that turns states into logits, where it is one of its own.</summary>
    Head,

    /// <summary>Queries.</summary>
    Query,

    /// <summary>Keys.</summary>
    Key,

    /// <summary>Values.</summary>
    Value,

    /// <summary>Queries, keys and values in one matrix.</summary>
    QueryKeyValue,

    /// <summary>The product after attention, which writes to the residual stream.</summary>
    AttentionOutput,

    /// <summary>The gate of the feed-forward part.</summary>
    Gate,

    /// <summary>The rising product of the feed-forward part.</summary>
    Up,

    /// <summary>Gate and rising product in one matrix.</summary>
    GateUp,

    /// <summary>The falling product of the feed-forward part, which writes to the residual stream.</summary>
    Down,

    /// <summary>A vector: gain of a norm, bias, or parameter of an activation.</summary>
    Vector,
}

/// <summary>A weight: its sizes, and how the two kinds of files name and hold it.</summary>
/// <param name="Name">Its name in Hugging Face's files, which is its name here.</param>
/// <param name="Rows">Outputs; 1 for a vector.</param>
/// <param name="Columns">Inputs; the length of a vector.</param>
public sealed record WeightShape(string Name, int Rows, int Columns)
{
    /// <summary>What it is for.</summary>
    public WeightRole Role { get; init; } = WeightRole.Vector;

    /// <summary>Its name in GGUF files.</summary>
    public string GgufName { get; init; } = "";

    /// <summary>Its layer; null outside the layers.</summary>
    public int? Layer { get; init; }

    /// <summary>In GGUF the rows of each head of so many rows lie in another order: those that rotary positions turn together are neighbours,
    /// row 2i there is row i here and row 2i + 1 is row i + heads/2; for a bias its numbers. Null: the order is the same.</summary>
    public int? GgufHeadRows { get; init; }

    /// <summary>What the numbers in GGUF are larger by: 1 where a gain is stored as its distance from 1 here and whole there.</summary>
    public float GgufOffset { get; init; }

    /// <summary>In GGUF it is no tensor but one number, that of its layer in an array of the metadata with this key; null: it is a tensor.</summary>
    public string? GgufKey { get; init; }

    /// <summary>Hugging Face's files hold the matrix as (inputs, outputs).</summary>
    public bool IsTransposed { get; init; }

    /// <summary>What a vector begins training with.</summary>
    public float InitialValue { get; init; }

    /// <summary>Whether it is a vector, which stays in single precision when matrices are quantized.</summary>
    public bool IsVector => Role == WeightRole.Vector;

    /// <summary>Number of parameters.</summary>
    public long Count => (long)Rows * Columns;

    /// <summary>Its extents as files list them, the longest stride first.</summary>
    public long[] Extents => IsVector ? [Columns] : [Rows, Columns];

    /// <summary>The row of a GGUF file that is a given row here.</summary>
    internal int GgufRow(int row)
    {
        if (GgufHeadRows is not { } rows) return row;
        var (head, i, half) = (row / rows, row % rows, rows / 2);
        return head * rows + (i < half ? 2 * i : 2 * (i - half) + 1);
    }
}

/// <summary>Makes the shapes of a layer, or of what stands before and after the layers, under both kinds of names.</summary>
/// <param name="prefix">What Hugging Face's names begin with, such as <c>model.layers.0.</c>.</param>
/// <param name="ggufPrefix">What GGUF's names begin with, such as <c>blk.0.</c>.</param>
/// <param name="layer">The layer, or null.</param>
internal readonly struct ShapeMaker(string prefix, string ggufPrefix, int? layer = null)
{
    /// <summary>Before and after the layers.</summary>
    public static ShapeMaker Outside { get; } = new("", "");

    /// <summary>A layer under the names that most families have.</summary>
    public static ShapeMaker Layer(int index, string layers = "model.layers.")
    {
        var number = index.ToString(CultureInfo.InvariantCulture);
        return new ShapeMaker($"{layers}{number}.", $"blk.{number}.", index);
    }

    /// <summary>A matrix.</summary>
    /// <param name="name">Hugging Face's name after the prefix, without <c>.weight</c>.</param>
    /// <param name="ggufName">GGUF's name after the prefix, without <c>.weight</c>.</param>
    /// <param name="role">What it is for.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    public WeightShape Matrix(string name, string ggufName, WeightRole role, int rows, int columns) =>
        new($"{prefix}{name}.weight", rows, columns) { GgufName = $"{ggufPrefix}{ggufName}.weight", Role = role, Layer = layer };

    /// <summary>The gain of a norm, which begins at 1.</summary>
    public WeightShape Gain(string name, string ggufName, int length) =>
        new($"{prefix}{name}.weight", 1, length) { GgufName = $"{ggufPrefix}{ggufName}.weight", Layer = layer, InitialValue = 1 };

    /// <summary>The gain of a norm that is stored as its distance from 1, as Gemma does; GGUF stores it whole.</summary>
    public WeightShape GainPlusOne(string name, string ggufName, int length) => Gain(name, ggufName, length) with { InitialValue = 0, GgufOffset = 1 };

    /// <summary>One number of each layer, under its name as it is; GGUF lists those of all layers in its metadata.</summary>
    /// <param name="name">Hugging Face's name after the prefix.</param>
    /// <param name="key">GGUF's whole key.</param>
    /// <param name="first">What it begins training with.</param>
    public WeightShape Number(string name, string key, float first) => new(prefix + name, 1, 1) { GgufKey = key, Layer = layer, InitialValue = first };

    /// <summary>A bias, which begins at 0.</summary>
    public WeightShape Bias(string name, string ggufName, int length) =>
        new($"{prefix}{name}.bias", 1, length) { GgufName = $"{ggufPrefix}{ggufName}.bias", Layer = layer };
}
