using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>Embeddings with fewer numbers than the model makes, where the client asks for them: the first ones, scaled to length 1 again.
/// What such a vector still tells is the model's matter; models trained for it lose least.</summary>
internal static class EmbeddingDimensions
{
    /// <summary>How many numbers the client wants; null for all.</summary>
    public static int? Read(JsonElement owner, string name, string where, ModelInfo model)
    {
        if (RequestFields.Integer(owner, name, where) is not int wanted) return null;
        return wanted >= 1 && wanted <= model.Width ? wanted : throw ApiException.Invalid(where + name,
            FormattableString.Invariant($"'{where}{name}' is {wanted}; expected 1 to {model.Width}, the width of this model's embeddings."));
    }

    /// <summary>The vector with so many numbers; all of them as they are where none are left out.</summary>
    public static IReadOnlyList<float> Cut(IReadOnlyList<float> vector, int? dimensions)
    {
        if (dimensions is not int count || count == vector.Count) return vector;
        double squares = 0;
        for (int i = 0; i < count; i++) squares += (double)vector[i] * vector[i];
        double length = Math.Sqrt(squares);
        return [.. vector.Take(count).Select(number => length == 0 ? 0 : (float)(number / length))];
    }
}
